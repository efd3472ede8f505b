// What one can do with messages of one's own: edit them in place, delete them.

import { account } from "./account.js";
import { DELETE, EDIT } from "./documents.js";
import { attempt, element, onSubmit } from "./page.js";

// Marks the item of a message of one's own, and gives it its buttons.
export function decorateWith(client, put) {
  return (item) => {
    const isMine = item.dataset.sender === account.name;
    item.classList.toggle("mine", isMine);
    item.querySelector(".own")?.remove();
    if (isMine) item.append(buttons(client, item, put));
  };
}

export function edit(item) {
  item.querySelector(".own button").click();
}

function buttons(client, item, put) {
  const change = element("button", { type: "button" }, "Edit");
  const remove = element("button", { type: "button" }, "Delete");
  change.addEventListener("click", () => openEditor(client, item, put));
  remove.addEventListener("click", () => {
    // The first click asks, the second one does it.
    if (remove.textContent === "Delete") remove.textContent = "Delete it?";
    else attempt(() => client.execute(DELETE, { id: item.dataset.id }));
  });
  remove.addEventListener("blur", () => (remove.textContent = "Delete"));
  return element("div", { class: "own" }, change, remove);
}

function openEditor(client, item, put) {
  if (item.querySelector("form")) return;
  const text = element("textarea", { "aria-label": "New text", maxlength: 2000, required: "", rows: 2 });
  text.value = item.querySelector("p").textContent;
  const cancel = element("button", { type: "button", class: "quiet" }, "Cancel");
  const form = element("form", { "aria-label": "Edit the message" }, text, element("button", {}, "Save"), cancel);
  const close = () => {
    form.remove();
    item.querySelector(".own button")?.focus();
  };
  cancel.addEventListener("click", close);
  submitOnEnter(text);
  text.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  onSubmit(form, async () => {
    const { editChatMessage } = await client.execute(EDIT, { id: item.dataset.id, text: text.value });
    close();
    put(editChatMessage.message);
  });
  item.append(form);
  text.focus();
  item.scrollIntoView({ block: "nearest" });
}

// Enter sends, Shift+Enter begins a new line; Enter that ends the input of a Chinese or Japanese word does neither.
export function submitOnEnter(text) {
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    text.form.requestSubmit();
  });
}
