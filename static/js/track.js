// Copies the address of a report, where the browser lets it.

const button = document.querySelector("[data-copy]");
if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.setAttribute("aria-pressed", "true");
  });
}
