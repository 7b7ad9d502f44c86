// Runs in the page before its own code: when was each row that is on screen published, and when was it painted?
// A sample begins with the publish stamp of the frame that changed a rendered row and ends in the task after the browser's frame
// that painted the change: the mutation is seen, the next animation frame comes, and the message posted in it arrives behind the
// paint. Nothing of the page's own is used but the attribute by which the grid names its rows.
(() => {
  const CHANGED = ["changed_ns", "changed"]; // what the column is called that says when the row's last event was
  const places = new Map(); // subscription -> that column's place
  const waiting = new Map(); // row on screen -> [published ns, appended ns] of a change not painted yet
  const changed = new Set(); // of them, those whose mutation was seen
  const entering = new Set(); // rows that came on screen with this frame
  const firsts = {}; // row -> when it was first painted
  const samples = []; // [published ns, appended ns, painted ns]
  let seq = 0; // of the last event that the page was told of
  let watching = false;
  let framed = false;

  // The wall clock that the server reads too, finer than Date.now() tells it: the page's own origin may have drifted from it.
  let origin_ms = 0;
  function setOrigin() {
    const before = Date.now();
    let ticked = before;
    while (ticked === before) ticked = Date.now();
    origin_ms = ticked - performance.now();
  }
  const now = () => (origin_ms + performance.now()) * 1e6;
  const key = (row) => row.getAttribute("row-id");
  const shown = () => new Set([...document.querySelectorAll("[row-id]")].map(key));

  function took(message) {
    if (message.seq > seq) seq = message.seq;
    if (message.t === "snap") places.set(message.id, message.cols.findIndex((name) => CHANGED.includes(name)));
    if (message.t !== "upd" || !watching || !message.rows?.length) return;
    const onScreen = shown();
    const place = places.get(message.id) ?? -1;
    for (const row of message.rows) {
      if (onScreen.has(row[0])) waiting.set(row[0], [Number(message.p), place < 0 ? 0 : Number(row[place])]);
    }
  }

  window.WebSocket = class extends WebSocket {
    constructor(...all) {
      super(...all);
      this.addEventListener("message", (event) => took(JSON.parse(event.data)));
    }
  };

  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    const painted = now();
    framed = false;
    for (const row of entering) firsts[row] ??= painted;
    for (const row of changed) {
      samples.push([...waiting.get(row), painted]);
      waiting.delete(row);
    }
    entering.clear();
    changed.clear();
  };

  function changedIn(node) {
    const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const row = element?.closest("[row-id]");
    if (row && waiting.has(key(row))) changed.add(key(row));
  }

  function entered(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    if (node.hasAttribute("row-id")) entering.add(key(node));
    else for (const row of node.querySelectorAll("[row-id]")) entering.add(key(row));
  }

  const observer = new MutationObserver((mutations) => {
    for (const mutation of mutations) {
      changedIn(mutation.target);
      mutation.addedNodes.forEach(entered);
    }
    if ((changed.size || entering.size) && !framed) {
      framed = true;
      requestAnimationFrame(() => channel.port2.postMessage(0));
    }
  });

  window.__probe = {
    seq: () => seq,
    start() {
      setOrigin();
      samples.length = 0;
      waiting.clear();
      watching = true;
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    },
    stop() {
      watching = false;
      observer.disconnect();
      return { samples, firsts, unpainted: waiting.size };
    },
  };
})();
