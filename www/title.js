// What the browser shows of this page among its others: what is on, and how much there is to read.
// Nobody else writes document.title.

let about = '';
let unread = 0;

export function setTitle(text) {
  about = text;
  show();
}

// count: of messages; 0: nothing is said of them.
export function setUnreadCount(count) {
  unread = count;
  show();
}

function show() {
  const named = about ? `${about} – VideoSync` : 'VideoSync';
  const title = unread > 0 ? `(${unread}) ${named}` : named;
  if (document.title !== title) document.title = title;
}
