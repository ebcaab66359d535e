import { text, timestamp } from 'drizzle-orm/pg-core';

/** A time, to the millisecond. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** Whose row it is: the first column of every primary key. `WorkspaceRows` fills it and asks for it. */
export const workspace = () => text('workspace').notNull();
