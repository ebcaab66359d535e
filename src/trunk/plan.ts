export type PlanAction = 'create' | 'update' | 'delete' | 'keep';

/** Something that `ensure` cannot or must not mend by itself. */
export type Finding = {
  /** `problem`: calls fail or are unsafe until it is mended; `note`: good to know. */
  severity: 'problem' | 'note';
  /** The trunk it is about; absent where it is about all. */
  trunk?: string | undefined;
  message: string;
  remedy?: string | undefined;
  /** Trunks whose inbound side cannot be made because of it. */
  blocks?: readonly string[] | undefined;
};

/** One line of a plan, for people and for `--json`. Holds no number and no secret. */
export type PlanLine = {
  where: 'livekit' | 'twilio';
  trunk: string;
  object: string;
  action: PlanAction;
  id?: string | undefined;
  changes: readonly string[];
};
