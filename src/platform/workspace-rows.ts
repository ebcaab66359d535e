import {
  and,
  count,
  eq,
  type InferInsertModel,
  type InferSelectModel,
  sql,
  type SQL,
} from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from './database.ts';

/** A table whose every row belongs to a workspace. */
type WorkspaceTable = PgTable & { workspace: PgColumn };

type Row<T extends WorkspaceTable> = InferSelectModel<T>;
type NewRow<T extends WorkspaceTable> = Omit<InferInsertModel<T>, 'workspace'>;

/**
 * The one way to the rows of the database: each query is about one workspace, because this class adds it and keeps
 * the database to itself.
 */
export class WorkspaceRows {
  readonly #db: Database;
  readonly #workspace: string;

  constructor(db: Database, workspace: string) {
    this.#db = db;
    this.#workspace = workspace;
  }

  /** Runs queries that hold together, or not at all. */
  async transaction<R>(run: (rows: WorkspaceRows) => Promise<R>): Promise<R> {
    return this.#db.transaction(async (tx) => run(new WorkspaceRows(tx, this.#workspace)));
  }

  async select<T extends WorkspaceTable>(
    table: T,
    query: {
      where?: SQL | undefined;
      orderBy?: readonly (SQL | PgColumn)[];
      limit?: number;
      /** Locks the rows until the transaction ends; `skipLocked` leaves out those that another one has. */
      forUpdate?: boolean | 'skipLocked';
    } = {},
  ): Promise<Row<T>[]> {
    let builder = this.#db
      .select()
      .from<PgTable>(table)
      .where(this.#within(table, query.where))
      .orderBy(...(query.orderBy ?? []))
      .$dynamic();
    if (query.limit !== undefined) builder = builder.limit(query.limit);
    if (query.forUpdate) {
      builder = builder.for('update', query.forUpdate === 'skipLocked' ? { skipLocked: true } : {});
    }
    return (await builder) as Row<T>[];
  }

  /** Inserts the rows that collide with no other, and returns those. */
  async insert<T extends WorkspaceTable>(table: T, rows: readonly NewRow<T>[]): Promise<Row<T>[]> {
    if (rows.length === 0) return [];
    const values = rows.map((row) => ({ ...row, workspace: this.#workspace }));
    const inserted = await this.#db
      .insert<WorkspaceTable>(table)
      .values(values)
      .onConflictDoNothing()
      .returning();
    return inserted as Row<T>[];
  }

  async update<T extends WorkspaceTable>(
    table: T,
    change: Partial<NewRow<T>>,
    where: SQL,
  ): Promise<void> {
    await this.#db.update<WorkspaceTable>(table).set(change).where(this.#within(table, where));
  }

  /** Updates, and tells how many rows it changed. */
  async updateCounting<T extends WorkspaceTable>(
    table: T,
    change: Partial<NewRow<T>>,
    where: SQL,
  ): Promise<number> {
    const changed = await this.#db
      .update<WorkspaceTable>(table)
      .set(change)
      .where(this.#within(table, where))
      .returning({ workspace: table.workspace });
    return changed.length;
  }

  async delete(table: WorkspaceTable, where: SQL): Promise<void> {
    await this.#db.delete(table).where(this.#within(table, where));
  }

  /** How many rows there are of each value of a column, or of what is made of some. */
  async countBy(
    table: WorkspaceTable,
    column: PgColumn | SQL,
    where: SQL,
  ): Promise<{ value: unknown; count: number }[]> {
    return this.#db
      .select({ value: sql`${column}`, count: count() })
      .from<PgTable>(table)
      .where(this.#within(table, where))
      .groupBy(column);
  }

  #within(table: WorkspaceTable, where: SQL | undefined): SQL | undefined {
    return and(eq(table.workspace, this.#workspace), where);
  }
}
