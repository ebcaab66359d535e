import type { FromHost, ToHost } from '../hosts/host-message.ts';

/** The channel to the parent process. What is sent when the parent is gone is lost, as it would be to nobody. */
export class ParentChannel {
  get connected(): boolean {
    return process.connected;
  }

  send(message: FromHost): void {
    if (!process.connected) return;
    // Without a callback a parent that is just dying would be an error event of the process.
    process.send?.(message, undefined, undefined, () => undefined);
  }

  listen(handlers: { message: (message: ToHost) => void; lost: () => void }): void {
    process.on('message', (message) => handlers.message(message as ToHost));
    process.once('disconnect', handlers.lost);
  }
}
