// The controls of the site: guesses, quizzes and whatever moves, from what the notebooks' own widgets tell of themselves.
// The state of a control stands in the address (#w-cell-0?rank=8), a guess and an answer in the browser's memory too.
(() => {
  document.documentElement.classList.add('tl-js');
  const arrived = {};  // what waits for a file, by the name of its widget
  window.tlcourse = (name, data) => arrived[name]?.(data);  // called by states/*.js

  const widgets = new Map();
  const slot = name => `tlcourse:${location.pathname.split('/').pop()}:${name}`;
  const keep = (name, value) => { try { localStorage.setItem(slot(name), value); } catch { /* a private window */ } };
  const kept = name => { try { return localStorage.getItem(slot(name)); } catch { return null; } };

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (value !== false && value != null) node.setAttribute(key, value === true ? '' : value);
    }
    node.append(...children);
    return node;
  }

  // The address

  const address = () => {
    const [name, state] = decodeURI(location.hash.slice(1)).split('?');
    return { name, state: new URLSearchParams(state ?? '') };
  };
  const tell = (widget, state) =>
    history.replaceState(null, '', `#${widget.name}?${new URLSearchParams(state)}`);

  // A picture for each setting

  function explore(widget) {
    const { controls, buttons, aside } = widget.told;
    const at = controls.map(control => control.here);
    const place = () => controls.reduce((sum, control, i) => sum * control.values.length + at[i], 0);
    const state = () => controls.filter(moves).map(control => [control.name, control.values[at[controls.indexOf(control)]]]);
    const show = async () => {
      const { states, pictures = [] } = await widget.data();
      const html = states[place()].replace(/src="#(\d+)"/g, (_, n) => `src="data:image/webp;base64,${pictures[n]}"`);
      widget.pane.style.minHeight = `${widget.pane.offsetHeight}px`;  // the page below stays where it is
      widget.pane.innerHTML = html;
    };
    const move = (i, value) => { at[i] = value; tell(widget, state()); return show(); };
    const box = make('div', { class: 'tl-controls' });
    const inputs = controls.map((control, i) => moves(control) ? one(control, i, value => move(i, value)) : null);
    box.append(...inputs.filter(Boolean).map(input => input.row));
    widget.pane.before(box);
    widget.pane.after(widget.words);
    widget.pane.setAttribute('aria-live', 'polite');
    const also = buttons.length ? `, and so do its buttons (${buttons.join(', ')})` : '';
    widget.words.textContent = aside || `Recorded settings; between them it moves in a running notebook${also}.`;
    widget.set = wanted => {
      controls.forEach((control, i) => {
        const value = control.values.indexOf(wanted.get(control.name));
        if (value >= 0 && inputs[i]) inputs[i].set(at[i] = value);
      });
      return show();
    };
    whenSeen(widget.root, widget.data);
  }

  const moves = control => control.values.length > 1;

  function one(control, i, moved) {
    const { label, values, here, kind } = control;
    if (kind === 'slider') {
      const said = make('output', {}, values[here]);
      const say = value => {
        said.textContent = values[value];
        range.setAttribute('aria-valuetext', values[value]);
      };
      const range = make('input', {
        type: 'range', min: 0, max: values.length - 1, value: here, 'aria-valuetext': values[here],
        oninput: () => { say(+range.value); moved(+range.value); },
      });
      const set = value => { range.value = value; say(value); };
      return { row: make('label', {}, make('span', {}, label), range, said), set };
    }
    if (kind === 'switch') {
      const box = make('input', { type: 'checkbox', onchange: () => moved(+box.checked) });
      box.checked = here === 1;
      return { row: make('label', {}, make('span', {}, label), box), set: value => { box.checked = value === 1; } };
    }
    const list = make('select', { onchange: () => moved(list.selectedIndex) },
      ...values.map((value, n) => make('option', { selected: n === here }, value)));
    return { row: make('label', {}, make('span', {}, label), list), set: value => { list.selectedIndex = value; } };
  }

  // A guess before the result

  function prediction(widget) {
    const { question, options, low, high, step, unit } = widget.told;
    const said = make('output');
    let input, value = null;
    const button = make('button', { type: 'button', disabled: true, onclick: () => commit() }, 'This is my guess');
    const moved = next => { value = next; said.textContent = options ? '' : `${value} ${unit}`; button.disabled = false; };
    if (options) {
      input = make('div', { role: 'radiogroup', 'aria-label': question }, ...options.map(option => make('label', {},
        make('input', { type: 'radio', name: widget.name, value: option, onchange: () => moved(option) }), option)));
    } else {
      const entered = event => { if (event.key === 'Enter') { moved(input.value); commit(); } };
      input = make('input', { type: 'range', min: low, max: high, step, value: (low + high) / 2, 'aria-label': question,
        oninput: () => moved(input.value), onkeydown: entered });
    }
    const status = make('span', { role: 'status' });
    const give = () => {
      if (options) input.querySelectorAll('input').forEach(each => { each.checked = each.value === value; });
      else input.value = value;
      moved(value);
      widget.guess = options ? value : `${value} ${unit}`.trim();
      widget.share = (value - low) / (high - low);  // of its scale; a choice has none
      status.textContent = `Noted: ${widget.guess}.`;
      uncover();
    };
    const commit = () => { keep(widget.name, value); tell(widget, { guess: value }); give(); };
    widget.words.replaceChildren(make('b', {}, 'Your guess first. '), question);
    widget.pane.replaceWith(make('div', { class: 'tl-controls' },
      options ? input : make('label', {}, input, said), button, status));
    widget.set = wanted => {
      const given = wanted.get('guess');
      if (given != null && (options ? options.includes(given) : given !== '' && +given >= low && +given <= high)) {
        value = given;
        give();
      }
    };
    if (kept(widget.name) != null) widget.set(new URLSearchParams({ guess: kept(widget.name) }));
  }

  // What stays covered: the keys of its guesses are among its classes

  const covers = [];
  const opened = new Set();

  function findCovers() {
    for (const node of document.querySelectorAll('[class*="tag_w-"]')) {
      const keys = [...node.classList].filter(name => name.startsWith('tag_w-')).map(name => name.slice(4));
      const hidden = node.classList.contains('cell') ? node.querySelector(':scope > .cell_output') : node;
      if (!hidden) continue;
      const link = make('a', { href: `#${keys[0]}` }, 'Make your guess first');
      const open = () => { keys.forEach(key => opened.add(key)); uncover(); };
      const bar = make('p', { class: 'tl-cover' }, link, ', or ', make('button', { type: 'button', onclick: open }, 'show'));
      hidden.before(bar);
      covers.push({ keys, hidden, bar });
    }
  }

  function uncover() {
    for (const { keys, hidden, bar } of covers) {
      const lacking = keys.filter(key => !opened.has(key) && widgets.get(key)?.guess == null);
      hidden.hidden = lacking.length > 0;
      bar.hidden = !hidden.hidden;
      if (lacking.length) bar.firstChild.setAttribute('href', `#${lacking[0]}`);
    }
    dispatchEvent(new Event('resize'));  // the theme looks which code can be scrolled, and gives it to the keyboard
    document.querySelectorAll('figure[data-guesses]').forEach(drawGuesses);
    for (const node of document.querySelectorAll('.tl-said')) node.textContent = widgets.get(node.dataset.guess)?.guess ?? 'none';
  }

  // The guess in the figure, where the notebook draws it

  function drawGuesses(figure) {
    const picture = figure.querySelector('img');
    if (!picture.parentNode.matches('.tl-drawn')) {
      const frame = make('span', { class: 'tl-drawn' });
      picture.replaceWith(frame);
      frame.append(picture);
    }
    picture.parentNode.querySelectorAll('.tl-mark').forEach(old => old.remove());
    for (const { ask, low, high } of JSON.parse(figure.dataset.guesses)) {
      const asked = [...widgets.values()].find(widget => widget.told.question === ask && widget.guess != null);
      if (!asked) continue;
      const [x, y] = low.map((from, i) => Math.min(0.98, Math.max(0.02, from + asked.share * (high[i] - from))));
      const side = x > 0.6 ? ' tl-left' : '';
      picture.parentNode.append(make('span', { class: `tl-mark${side}`, style: `left:${100 * x}%; top:${100 * y}%` },
        `your guess: ${asked.guess}`));
    }
  }

  // A quiz

  function quiz(widget) {
    let built;
    const ready = () => built ??= ask(widget);
    widget.set = async wanted => (await ready())(wanted);
    whenSeen(widget.root, ready);
  }

  async function ask(widget) {
    const { questions, pictures = [] } = await widget.data();
    const answers = questions.map((_, i) => kept(`${widget.name}-${i}`));
    const score = make('p', { role: 'status' });
    const drawn = text => text.replace(/src="#(\d+)"/g, (_, n) => `src="data:image/webp;base64,${pictures[n]}"`);
    const pages = questions.map((question, i) => {
      const asked = make('div');
      asked.innerHTML = drawn(question.shown);
      const reply = make('div', { role: 'status' });
      const options = question.options.map(option => make('label', {}, make('input', {
        type: 'radio', name: `${widget.name}-${i}`, value: option, onchange: () => answer(i, option),
      }), option));
      const page = make('fieldset', {}, make('legend', {}, `${i + 1}. ${question.ask}`), asked, ...options, reply);
      return { page, reply };
    });
    const state = () => answers.flatMap((given, i) => given == null ? [] : [[i + 1, questions[i].options.indexOf(given) + 1]]);
    const answer = (i, given) => { answers[i] = given; keep(`${widget.name}-${i}`, given); tell(widget, state()); say(i); };
    const say = i => {
      const { truth, why } = questions[i], given = answers[i];
      if (given == null) return;
      pages[i].page.querySelectorAll('input').forEach(each => { each.checked = each.value === given; });
      const word = make('b', {}, given === truth ? '✓ ' : `✗ ${truth}. `);
      const because = make('span');
      because.innerHTML = drawn(why);
      pages[i].reply.replaceChildren(word, because);
      const done = answers.filter(each => each != null).length;
      const right = answers.filter((each, n) => each === questions[n].truth).length;
      score.textContent = `${right} of ${done} right, ${questions.length - done} to go.`;
    };
    widget.words.remove();
    widget.pane.replaceChildren(...pages.map(({ page }) => page), score);
    questions.forEach((_, i) => say(i));
    return wanted => questions.forEach((question, i) => {
      const given = question.options[wanted.get(`${i + 1}`) - 1];
      if (given != null) { answers[i] = given; say(i); }
    });
  }

  // All of them

  function whenSeen(node, act) {
    const watch = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) { watch.disconnect(); act(); }
    }, { rootMargin: '800px' });
    watch.observe(node);
  }

  function start(root) {
    const told = JSON.parse(root.querySelector('script').textContent);
    const widget = { root, told, name: root.id, words: root.querySelector('.tl-words'), pane: root.querySelector('.tl-pane') };
    let data;
    widget.data = () => data ??= new Promise(resolve => {
      arrived[root.id] = resolve;  // a script and not a fetch: it works from a folder, too
      document.head.append(make('script', { src: told.file }));
    });
    widgets.set(root.id, widget);
    ({ explore, prediction, quiz })[told.kind](widget);
  }

  async function goThere() {
    const { name, state } = address();
    const target = widgets.get(name) ?? { root: document.getElementById(name) };
    if (!target.root) return;
    const cover = target.root.closest('[hidden]')?.previousElementSibling;
    (cover ?? target.root).scrollIntoView();
    if ([...state].length) await target.set?.(state);
  }

  // A table that sorts, and shows one chapter or one verdict

  function board(table) {
    const body = table.tBodies[0], rows = [...body.rows];
    const value = (row, column) => row.cells[column].textContent;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const sort = () => {
        const down = head.getAttribute('aria-sort') === 'ascending';
        for (const each of table.tHead.rows[0].cells) each.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const order = (a, b) => value(a, column).localeCompare(value(b, column), 'en', { numeric: true });
        body.append(...rows.sort((a, b) => down ? order(b, a) : order(a, b)));
      };
      head.replaceChildren(make('button', { type: 'button', onclick: sort }, head.textContent));
    });
    const filters = [[0, 'chapter'], [rows[0].cells.length - 1, 'verdict']].map(([column, name]) => {
      const options = [...new Set(rows.map(row => value(row, column)))].sort();
      const list = make('select', { onchange: () => filter() }, make('option', { value: '' }, 'all'),
        ...options.map(option => make('option', {}, option)));
      return { column, list, row: make('label', {}, make('span', {}, name), list) };
    });
    const filter = () => rows.forEach(row => {
      row.hidden = filters.some(({ column, list }) => list.value && value(row, column) !== list.value);
    });
    table.parentNode.before(make('div', { class: 'tl-controls' }, ...filters.map(each => each.row)));
  }

  addEventListener('DOMContentLoaded', () => {
    findCovers();
    document.querySelectorAll('.tl-widget').forEach(start);
    uncover();
    document.querySelectorAll('.tl-board').forEach(board);
    goThere();
    addEventListener('hashchange', goThere);
  });
})();
