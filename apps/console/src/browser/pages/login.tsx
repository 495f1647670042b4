import { useSignal } from '@preact/signals';
import { logIn, notice } from '../live/state.js';

function KeyField({ isWrong }: { isWrong: boolean }) {
  return (
    <>
      {/* Password managers keep a password by its user. */}
      <input type="text" name="username" autocomplete="username" value="operator" hidden />
      <label for="key">Admin key</label>
      <input
        id="key"
        name="key"
        type="password"
        autocomplete="current-password"
        required
        autofocus
        spellcheck={false}
        aria-describedby="key-help key-problem"
        aria-invalid={isWrong}
      />
    </>
  );
}

/** The key goes into one request and is kept nowhere. */
export function Login() {
  const problem = useSignal('');
  const isSending = useSignal(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = new FormData(form).get('key');
    isSending.value = true;
    problem.value = (await logIn(typeof key === 'string' ? key : '')) ?? '';
    isSending.value = false;
    if (problem.value !== '') form.querySelector<HTMLInputElement>('#key')?.focus();
  };
  return (
    <main class="login">
      <form onSubmit={(event) => void submit(event)}>
        <h1>Peregrine console</h1>
        {notice.value?.failed && <p class="hint">{notice.value.text}</p>}
        <KeyField isWrong={problem.value !== ''} />
        <p id="key-help" class="note">
          An API key with the scope <code>admin</code>; <code>npm start</code> prints one.
        </p>
        <p id="key-problem" class="problem" role="alert">
          {problem.value}
        </p>
        <button type="submit" class="primary" disabled={isSending.value}>
          Log in
        </button>
      </form>
    </main>
  );
}
