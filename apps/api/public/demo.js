const table = globalThis.document.getElementById('files');
for (const name of ['demo.css', 'demo.js', 'mark.svg']) {
  const { headers } = await fetch(name);
  const row = table.insertRow();
  for (const text of [name, headers.get('content-encoding') ?? 'none', headers.get('cache-control')]) {
    row.insertCell().textContent = text;
  }
}
