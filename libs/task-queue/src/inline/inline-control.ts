import { type NewTask } from '../queue/new-task.js';
import { type InlineTask } from './inline-task.js';

/** What a control may do to the runner. */
export interface ControlledRunner {
  /** Batches wait no longer for more. */
  flush(): void;
  /** Whether no attempt begins. */
  readonly isPaused: boolean;
}

/** Decides when inline tasks run; the testing kit has another than the application. */
export interface InlineControl {
  /** Whether a task may be accepted that has no handler here. */
  readonly acceptsUnhandled: boolean;

  /** Told once, before anything else. */
  attach(runner: ControlledRunner): void;

  /** A task has been accepted. */
  accepted(inline: InlineTask): void;

  /** Asked before every attempt, which begins when this resolves. @throws the signal's reason */
  admit(inline: InlineTask, signal: AbortSignal): Promise<void>;

  /**
   * What `submit` waits for.
   *
   * @param task as asked for; of the same id as the other
   * @param end never rejects
   */
  submitted(task: NewTask, inline: InlineTask, end: Promise<void>): Promise<void>;
}

/** Everything runs at once, and `submit` waits for the end, but not for a delay. */
export const uncontrolled: InlineControl = {
  acceptsUnhandled: false,
  attach: () => undefined,
  accepted: () => undefined,
  admit: () => Promise.resolve(),
  submitted: (task, _inline, end) => (task.delayMs === 0 ? end : Promise.resolve()),
};
