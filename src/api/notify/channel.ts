import type { Message } from './message.ts';

export type ChannelName = 'chat' | 'mail';

/** A way to reach people. */
export type Channel = {
  name: ChannelName;
  /** @throws DeliveryError */
  send: (message: Message) => Promise<void>;
  close: () => void;
};

/** Why a message did not go out, in words that hold neither address nor password. */
export class DeliveryError extends Error {
  override name = 'DeliveryError';
}
