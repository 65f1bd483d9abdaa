// Connection: Node's `ws`. Sends every text unchanged to all who are connected, the sender too.
// As its documentation recommends for this: no compression, and the frame is built by `send`.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  clientTracking: true,
  backlog: 4096,
});

server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    for (const client of server.clients) client.send(data, { binary: false });
  });
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
