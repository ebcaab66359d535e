import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends connections over which nothing was asked yet when the app closes. Node ends those that have been answered,
 * but waits a minute for others to ask; clients open them in advance.
 */
export function endSilentConnections(app: FastifyInstance): void {
  const silent = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  for (const event of ['request', 'upgrade']) {
    app.server.on(event, ({ socket }: { socket: Socket }) => silent.delete(socket));
  }
  app.addHook('preClose', async () => {
    for (const socket of silent) socket.destroy();
  });
}

/**
 * Breaks off what is still being answered `afterMs` after the app began to close: who reads no further would keep it
 * from ending, and with it all that is released after it.
 */
export function endLateConnections(app: FastifyInstance, afterMs: number): void {
  app.addHook('preClose', async () => {
    const timer = setTimeout(() => app.server.closeAllConnections(), afterMs);
    app.server.once('close', () => clearTimeout(timer));
  });
}
