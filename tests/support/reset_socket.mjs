// The end of a connection by RST, whatever state it is in.
//
// Of one whose sending half is just ending libuv refuses the reset (EINVAL), when Node has let go of it
// already: it stays open, and its 'close' never comes. Such a one is closed without a reset.
export function resetSocket(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
