import { parseOptions, runCommand } from './command-line.ts';
import { DASHBOARDS_FOLDER, dashboardFiles } from './dashboards/dashboard-files.ts';
import { assertUpToDate, writeGeneratedFiles } from './generated-files.ts';

const HELP = `Usage: npm run dashboards -- [--check]

Writes Grafana's dashboards to ${DASHBOARDS_FOLDER} from the panels in tools/src/dashboards.

  --check  write nothing; exit code 1 when a file is out of date
  --help   this text`;

await runCommand(async () => {
  const { values } = parseOptions('npm run dashboards --', {
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const files = dashboardFiles();
  if (values.check) await assertUpToDate(files, 'npm run dashboards');
  else await writeGeneratedFiles(files);
  console.log(`${files.length} dashboards are ${values.check ? 'up to date' : 'written'}`);
});
