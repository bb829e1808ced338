import importSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

// What runs in the browser is JavaScript, with its types in comments.
const TYPED = ['**/*.ts', 'src/ops/docs/browser/*.js'];

export default tseslint.config(
  { ignores: ['node_modules/', 'data/'] },
  {
    plugins: { 'simple-import-sort': importSort },
    rules: {
      // Node's own, then packages, then ours, without gaps.
      'simple-import-sort/imports': ['error', { groups: [['^node:', '^', '^\\.']] }],
      curly: ['error', 'multi-line'],
    },
  },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: TYPED })),
  {
    files: TYPED,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off', // restify tells an async handler by its kind, not by an await in it
    },
  },
  {
    files: ['**/*.js'],
    rules: {
      // They do not see a cast that stands in a comment; the compiler does.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
