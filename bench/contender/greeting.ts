/** What every contender's agent says first: the greeting of the personality that answers in the bench. */
export const GREETING = 'Hello, thank you for calling Trunkline Dental, how can I help?';

/** The number that is called; the receptionist answers it. */
export const NUMBER = '+12025550110';
