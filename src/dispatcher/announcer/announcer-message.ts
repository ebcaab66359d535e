/** A sentence for a room. */
export type Announcement = {
  /** LiveKit's address for clients, and a token for the room. */
  url: string;
  token: string;
  /** G.711 µ-law, 8 kHz, as base64. */
  sound: string;
};

/** All that the dispatcher and its announcer say to each other; `id` names one announcement. */
export type ToAnnouncer = { case: 'announce'; id: number; value: Announcement };
export type FromAnnouncer =
  | { case: 'announced'; id: number }
  | { case: 'failed'; id: number; reason: string };
