import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ActionName } from '../../contract/actions.js';
import { act, snapshot } from '../live/state.js';

interface Question {
  readonly title: string;
  readonly text: string;
  /** On the button that does it. */
  readonly verb: string;
  readonly action: ActionName;
  readonly input: object;
}

const question = signal<Question | null>(null);
const isActing = signal(false);

/** Asks before it does something. */
export function ask(its: Question): void {
  question.value = its;
}

interface ActionButtonProps extends Question {
  /** For screen readers, when the verb alone does not say what it is about. */
  label?: string;
  /** Whether there is nothing to do now. */
  isIdle?: boolean;
}

/** A button that leads to a question; does nothing while actions are off. */
export function ActionButton({ label, isIdle = false, ...its }: ActionButtonProps) {
  const isOn = snapshot.value?.actionsEnabled ?? false;
  return (
    <button
      type="button"
      class="action"
      disabled={!isOn || isIdle}
      aria-label={label}
      onClick={() => ask(its)}
    >
      {its.verb}
    </button>
  );
}

/** Says why the buttons are grey. */
export function ActionsNote() {
  if (snapshot.value?.actionsEnabled ?? true) return null;
  return (
    <p class="hint">
      Actions are off: this console only shows. To change things from here, set{' '}
      <code>CONSOLE_ACTIONS_ENABLED=true</code> and restart the api.
    </p>
  );
}

/** The open question, as a modal dialog: Escape and "Cancel" leave everything as it is. */
export function ConfirmDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const its = question.value;
  useLayoutEffect(() => {
    if (its) dialog.current?.showModal();
    else dialog.current?.close();
  }, [its]);
  const close = () => {
    question.value = null;
  };
  const confirm = async () => {
    if (!its || isActing.value) return;
    isActing.value = true;
    await act(its.action, its.input);
    isActing.value = false;
    close();
  };
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <h2 id="question">{its?.title}</h2>
      <p>{its?.text}</p>
      <div class="buttons">
        <button type="button" onClick={close} autofocus>
          Cancel
        </button>
        <button type="button" class="danger" disabled={isActing.value} onClick={() => void confirm()}>
          {its?.verb}
        </button>
      </div>
    </dialog>
  );
}
