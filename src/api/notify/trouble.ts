/** Something that needs a person, as one look finds it. Holds neither numbers nor secrets. */
export type Trouble = {
  /** The same for as long as it is the same trouble: `trunk:office`. Begins with the name of its watch. */
  key: `${string}:${string}`;
  /** What is wrong, a sentence. */
  what: string;
  /** What to do, with the command to run. */
  remedy: string;
  /** How long it must last until somebody is told, in ms. */
  afterMs: number;
};

/**
 * Looks after one part of the system. A throw means that it could not look, and says nothing about the trouble
 * that it found before.
 */
export type Watch = { name: string; look: (now: number) => Promise<Trouble[]> };
