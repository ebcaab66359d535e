CREATE TABLE "api_keys" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"prefix" text NOT NULL,
	"scopes" text[] NOT NULL,
	"rate_limit" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	CONSTRAINT "api_keys_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL,
	"actor_name" text NOT NULL,
	"action" text NOT NULL,
	"subject" text,
	"detail" jsonb NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	CONSTRAINT "audit_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"receiver" text NOT NULL,
	"url" text,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"call_id" text,
	"payload" jsonb,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "webhook_deliveries_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"created_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"delivered_at" timestamp (3) with time zone,
	"last_status" integer,
	"last_error" text,
	CONSTRAINT "webhook_deliveries_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"url" text NOT NULL,
	"description" text NOT NULL,
	"events" text[] NOT NULL,
	"secret" text NOT NULL,
	"previous_secret" text,
	"previous_secret_until" timestamp (3) with time zone,
	"enabled" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "webhook_endpoints_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
ALTER TABLE "idempotency_keys" ALTER COLUMN "call_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ALTER COLUMN "public_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ALTER COLUMN "message" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "usage" jsonb;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "recording" jsonb;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "filed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "calls" ADD COLUMN "erased_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD COLUMN "batch" jsonb;--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("workspace","hash");--> statement-breakpoint
CREATE INDEX "audit_at" ON "audit" USING btree ("workspace","at");--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_once" ON "webhook_deliveries" USING btree ("workspace","event_id","receiver");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("workspace","state","due_at");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_chain" ON "webhook_deliveries" USING btree ("workspace","receiver","call_id","sequence");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_call" ON "webhook_deliveries" USING btree ("workspace","call_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_age" ON "webhook_deliveries" USING btree ("workspace","created_at");--> statement-breakpoint
CREATE INDEX "calls_from" ON "calls" USING btree ("workspace","from_number","id");--> statement-breakpoint
CREATE INDEX "calls_to" ON "calls" USING btree ("workspace","to_number","id");--> statement-breakpoint
CREATE INDEX "calls_personality" ON "calls" USING btree ("workspace","personality","id");--> statement-breakpoint
CREATE INDEX "calls_started" ON "calls" USING btree ("workspace","started_at");--> statement-breakpoint
CREATE INDEX "calls_ended" ON "calls" USING btree ("workspace","ended_at");--> statement-breakpoint
CREATE INDEX "calls_metadata" ON "calls" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "calls_erased_recordings" ON "calls" USING btree ("workspace","id") WHERE "calls"."erased_at" is not null and "calls"."recording" is not null;