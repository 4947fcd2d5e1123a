/* A term that is chosen is explained beside it; without a script its link leads to the page's end. */
{
  const box = document.createElement("div");
  box.className = "meaning";
  box.popover = "auto";
  box.setAttribute("role", "status");
  document.body.append(box);
  let from = 0; // where the page was when it was shown

  function explain(term) {
    const [name, meaning] = document.querySelector(term.getAttribute("href")).children;
    const head = document.createElement("b");
    head.textContent = name.textContent;
    box.replaceChildren(head, meaning.textContent);
    box.showPopover();
    from = scrollY;
    const at = term.getBoundingClientRect();
    const left = Math.min(at.left, innerWidth - box.offsetWidth - 14);
    const below = at.bottom + 6 + box.offsetHeight < innerHeight;
    box.style.left = `${Math.max(14, left)}px`;
    box.style.top = `${below ? at.bottom + 6 : Math.max(6, at.top - box.offsetHeight - 6)}px`;
  }

  if (box.showPopover) {
    document.querySelectorAll(".term").forEach((term) => term.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      explain(term);
    }));
    addEventListener("scroll", () => {
      if (box.matches(":popover-open") && Math.abs(scrollY - from) > 40) box.hidePopover();
    }, { passive: true });
  }
}
