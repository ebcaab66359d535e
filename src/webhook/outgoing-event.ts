/** Receiver of what goes to the `callback_url` of a call; every other receiver is an endpoint, by its id. */
export const CALLBACK = 'callback';

/** An event as receivers are told of it. */
export type OutgoingEvent = {
  /** Stable: the same change has the same id, however often it is written or sent. */
  id: string;
  type: string;
  /** Absent where it is about no call. */
  call?: string | undefined;
  /** The body, as it is sent. */
  payload: Record<string, unknown>;
  /** Who is told of it beside the endpoints. */
  callbackUrl?: string | undefined;
};
