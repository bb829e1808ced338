// For `node --import`, ahead of the TypeScript that an older Node cannot read; so this is what Node 18 understands.
const version = process.versions.node;

if (Number(version.split('.')[0]) < 24) {
  process.stderr.write(
    `This needs Node 24, and this is Node ${version}. \`npm ci\` brings Node 24 along, unless install scripts are switched off:\n` +
      'run `npm rebuild node --ignore-scripts=false`, or put a Node 24 of your own first in PATH.\n',
  );
  process.exit(1);
}
