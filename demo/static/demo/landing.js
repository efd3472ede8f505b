// Buttons that copy the commands. Without a clipboard (a page that is not from this machine) there are none.
const copied = document.getElementById("copied");

for (const button of navigator.clipboard ? document.querySelectorAll("dt button") : []) {
  const line = button.previousElementSibling.textContent;
  button.ariaLabel = `Copy ${line}`;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line);
    button.textContent = "Copied";
    copied.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2_000);
  });
}
