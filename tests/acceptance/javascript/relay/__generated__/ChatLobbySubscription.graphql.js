/**
 * @generated SignedSource<<c0f33481adf762197fe864eec53eb1cc>>
 * @lightSyntaxTransform
 */

/* eslint-disable */

'use strict';

var node = (function(){
var v0 = [
  {
    "kind": "Literal",
    "name": "room",
    "value": "lobby"
  }
],
v1 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "text",
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": [],
    "kind": "Fragment",
    "metadata": null,
    "name": "ChatLobbySubscription",
    "selections": [
      {
        "alias": null,
        "args": (v0/*:: as any*/),
        "concreteType": "OnNewChatMessage",
        "kind": "LinkedField",
        "name": "onNewChatMessage",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "Message",
            "kind": "LinkedField",
            "name": "message",
            "plural": false,
            "selections": [
              (v1/*:: as any*/)
            ],
            "storageKey": null
          }
        ],
        "storageKey": "onNewChatMessage(room:\"lobby\")"
      }
    ],
    "type": "Subscriptions",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [],
    "kind": "Operation",
    "name": "ChatLobbySubscription",
    "selections": [
      {
        "alias": null,
        "args": (v0/*:: as any*/),
        "concreteType": "OnNewChatMessage",
        "kind": "LinkedField",
        "name": "onNewChatMessage",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "Message",
            "kind": "LinkedField",
            "name": "message",
            "plural": false,
            "selections": [
              (v1/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "id",
                "storageKey": null
              }
            ],
            "storageKey": null
          }
        ],
        "storageKey": "onNewChatMessage(room:\"lobby\")"
      }
    ]
  },
  "params": {
    "cacheID": "49787bdef71659ca8247e000ed405fe0",
    "id": null,
    "metadata": {},
    "name": "ChatLobbySubscription",
    "operationKind": "subscription",
    "text": "subscription ChatLobbySubscription {\n  onNewChatMessage(room: \"lobby\") {\n    message {\n      text\n      id\n    }\n  }\n}\n"
  }
};
})();

node.hash = "a1ee6d26fdd2120cd811d6ce49130933";

export default node;
