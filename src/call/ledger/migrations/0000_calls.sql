CREATE TABLE "call_events" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"call_id" text NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "call_events_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"public_id" text,
	"direction" text NOT NULL,
	"status" text NOT NULL,
	"outcome" text,
	"reason" text,
	"hung_up_by" text,
	"sip_status" integer,
	"sip_call_id" text,
	"from_number" text,
	"to_number" text,
	"trunk" text,
	"personality" text,
	"simulated" boolean DEFAULT false NOT NULL,
	"variables" jsonb,
	"metadata" jsonb,
	"request" jsonb,
	"turns" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"dialed_at" timestamp (3) with time zone,
	"ringing_at" timestamp (3) with time zone,
	"answered_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	CONSTRAINT "calls_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"workspace" text NOT NULL,
	"key" text NOT NULL,
	"body_hash" text NOT NULL,
	"call_id" text NOT NULL,
	"public_id" text NOT NULL,
	"message" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_workspace_key_pk" PRIMARY KEY("workspace","key")
);
--> statement-breakpoint
CREATE TABLE "turns" (
	"workspace" text NOT NULL,
	"id" text NOT NULL,
	"call_id" text NOT NULL,
	"role" text NOT NULL,
	"text" text NOT NULL,
	"interrupted" boolean NOT NULL,
	"sequence" bigint GENERATED ALWAYS AS IDENTITY (sequence name "turns_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"latency" jsonb,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "turns_workspace_id_pk" PRIMARY KEY("workspace","id")
);
--> statement-breakpoint
CREATE INDEX "call_events_call" ON "call_events" USING btree ("workspace","call_id","at");--> statement-breakpoint
CREATE UNIQUE INDEX "calls_public_id" ON "calls" USING btree ("workspace","public_id");--> statement-breakpoint
CREATE INDEX "calls_sip_call_id" ON "calls" USING btree ("workspace","sip_call_id");--> statement-breakpoint
CREATE INDEX "calls_open" ON "calls" USING btree ("workspace","status","id") WHERE "calls"."status" <> 'ended';--> statement-breakpoint
CREATE INDEX "idempotency_keys_age" ON "idempotency_keys" USING btree ("workspace","created_at");--> statement-breakpoint
CREATE INDEX "turns_call" ON "turns" USING btree ("workspace","call_id","at");