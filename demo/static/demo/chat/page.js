// The elements of the page, and what all of its parts need.

export const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((each) => [each.id, each]));

// An element with attributes and children. What is text stays text: nothing here reads HTML.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Runs something that may fail, and says so in words.
export async function attempt(action) {
  page.problem.hidden = true;
  try {
    return await action();
  } catch (error) {
    report(error);
  }
}

export function report(error) {
  page.problem.textContent = error.message;
  page.problem.hidden = false;
}

export function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(action);
  });
}
