// What all the clients ask. Relay runs what its compiler has made of this, and the others take their text from there. After a change,
// in the folder above:
//
//     python ../../../manage.py graphql_schema --schema demo.schema.schema --out schema.graphql
//     npx relay-compiler@21.0.1
import { graphql } from 'relay-runtime';

graphql`
  query ChatHistoryQuery($last: Int!) {
    history(room: "lobby", last: $last) {
      text
    }
  }
`;

graphql`
  mutation ChatLoginMutation($username: String!, $password: String!) {
    login(username: $username, password: $password) {
      me {
        username
      }
    }
  }
`;

graphql`
  mutation ChatSendMutation($text: String!) {
    sendChatMessage(room: "lobby", text: $text) {
      message {
        text
      }
    }
  }
`;

graphql`
  subscription ChatLobbySubscription {
    onNewChatMessage(room: "lobby") {
      message {
        text
      }
    }
  }
`;
