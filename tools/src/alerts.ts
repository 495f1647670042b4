import { ALERTS } from './alerts/alerts.ts';
import { RULES_FILE, rulesFile } from './alerts/rules-file.ts';
import { parseOptions, runCommand } from './command-line.ts';
import { assertUpToDate, writeGeneratedFiles } from './generated-files.ts';

const HELP = `Usage: npm run alerts -- [options]

Writes ${RULES_FILE} from the list in tools/src/alerts.

  --check           write nothing; exit code 1 when the file is out of date
  --print           write nothing; print the rules
  --runbooks <url>  where the runbooks are, in the printed rules (default: docs/runbooks/)
  --help            this text`;

await runCommand(async () => {
  const { values } = parseOptions('npm run alerts --', {
    options: {
      check: { type: 'boolean', default: false },
      print: { type: 'boolean', default: false },
      runbooks: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(HELP);
  else if (values.print) console.log(rulesFile(values.runbooks).text);
  else if (values.check) await assertUpToDate([rulesFile()], 'npm run alerts');
  else await writeGeneratedFiles([rulesFile()]);
  if (values.help || values.print) return;
  console.log(`${RULES_FILE} is ${values.check ? 'up to date' : `written: ${ALERTS.length} alerts`}`);
});
