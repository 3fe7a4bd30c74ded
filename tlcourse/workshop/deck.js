// Makes each slide fit its screen, and lets the keyboard reach the controls on it.
const shown = () => [...document.querySelectorAll('.jp-Deck .jp-deck-mod-visible')];

// Figures give way first, and the type only when they are small.
const figures = Array.from({ length: 17 }, (_, step) => [560 - 20 * step, 1]);
const types = Array.from({ length: 15 }, (_, step) => [240, 0.96 - 0.04 * step]);

function fit() {
  const cells = shown();
  const stage = cells[0]?.closest('.jp-Notebook');
  if (!stage) return;
  const zoom = Math.min(innerWidth / 1280, innerHeight / 720);
  stage.style.setProperty('--deck-zoom', zoom);
  for (const [figure, size] of [...figures, ...types]) {
    stage.style.setProperty('--deck-figure', `${figure}px`);
    stage.style.setProperty('--deck-fit', size);
    const high = cells.reduce((sum, cell) => sum + cell.getBoundingClientRect().height, 0);
    const wide = cells.some(cell => [...cell.querySelectorAll('table, pre, .jupyter-widgets')]
      .some(each => each.getBoundingClientRect().right > innerWidth - 40 * zoom));
    if (high <= innerHeight - 100 * zoom && !wide) break;
  }
}

// Lab would take the arrow keys for its own commands. Escape gives them back to the deck; so does Lab's losing the focus.
function free() {
  if (document.activeElement === document.body) shown()[0]?.focus();
  for (const control of document.querySelectorAll('.jp-Deck .jupyter-widgets :is(select, input, button, textarea, [tabindex])'))
    control.setAttribute('data-lm-suppress-shortcuts', 'true');
}

let soon = 0;
const later = () => {
  cancelAnimationFrame(soon);
  soon = requestAnimationFrame(() => { free(); fit(); });
};
const changes = { subtree: true, childList: true, attributes: true, attributeFilter: ['class', 'src'] };
new MutationObserver(later).observe(document.body, changes);
addEventListener('resize', later);
addEventListener('load', later, true);
addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !event.target.closest?.('.jupyter-widgets')) return;
  event.stopPropagation();
  shown()[0]?.focus();
}, true);
later();
