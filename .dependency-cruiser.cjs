/** Arrows run src -> machines only, and nothing anywhere runs in a circle. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'machines-are-pure',
      comment: 'machines/ may import xstate and itself: no world around it, no Node, no package',
      severity: 'error',
      from: { path: '^machines/' },
      to: { pathNot: '^machines/|^node_modules/xstate/' },
    },
    {
      name: 'published-code-imports-published-code',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { path: '^(test|examples|bench)/' },
    },
    {
      name: 'the-core-depends-on-xstate-alone',
      severity: 'error',
      from: { path: '^src/(index|handle|machine|status)\\.ts$' },
      to: { pathNot: '^(src|machines)/|^node_modules/xstate/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
