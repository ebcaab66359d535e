/** Sound on its way to the far end when the last frame has left us: jitter buffers of room and SIP service. */
export const TAIL_MS = 500;

/** Longest wait for a greeting that is still being made when the call is answered. */
export const GREETING_MS = 5000;

/** Who picks up says hello; the greeting is not broken off by it. */
export const HELLO_MS = 1000;

/** An agent that listens first speaks all the same when it hears nothing for this long. */
export const LISTEN_FIRST_MS = 4000;

/** Longest goodbye at the end of the permitted duration. */
export const CLOSING_MS = 15_000;
