import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate` writes the next migration from the schema; the api applies it at its start. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/{call/ledger,webhook,access}/schema.ts',
  out: './src/call/ledger/migrations',
});
