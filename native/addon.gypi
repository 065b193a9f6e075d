# The default development build (node-gyp configure build), and that of `cryptorch build`: binding.gyp includes it. Sources are listed in native/sources.json, which CMakeLists.txt reads too. Kernel files are compiled once per instruction set, into a namespace and a library each.
{
  # An installed package has no tests; there the addon alone is built.
  'variables': { 'programs%': '<!(node -p "require(\'node:fs\').existsSync(\'native/test\')")' },
  'target_defaults': {
    'include_dirs': ['<(module_root_dir)/native'],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections'],
    'cflags_cc': ['-std=c++20', '-fvisibility-inlines-hidden'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20', '-fno-exceptions', '-fno-rtti', '-Wno-unused-parameter'],
    'cflags!': ['-fno-exceptions', '-Wno-unused-parameter'],
    'ldflags!': ['-rdynamic'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'GCC_ENABLE_CPP_RTTI': 'YES',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
    },
  },
  'targets': [
    {
      'target_name': 'kernels_baseline',
      'type': 'static_library',
      'sources': ['<!@(node -p "require(\'./native/sources.json\').kernels.join(\' \')")'],
      'defines': ['CT_TARGET=baseline'],
      'conditions': [['target_arch=="x64"', { 'cflags': ['-maes', '-mssse3', '-msse4.1'] }]],
    },
    {
      'target_name': 'core',
      'type': 'static_library',
      'sources': [
        '<!@(node -p "require(\'./native/sources.json\').core.join(\' \')")',
        '<!@(node -p "require(\'./native/sources.json\').dispatch.join(\' \')")',
      ],
      'dependencies': ['kernels_baseline'],
      'export_dependent_settings': ['kernels_baseline'],
      'conditions': [
        ['target_arch=="x64"', {
          'cflags': ['-maes', '-mssse3', '-msse4.1'],
          'dependencies': ['kernels_avx2', 'kernels_avx512core', 'kernels_avx512'],
        }],
      ],
    },
    {
      'target_name': 'cryptorch',
      'product_name': 'cryptorch_native',
      'sources': [
        '<!@(node -p "require(\'./native/sources.json\').addon.join(\' \')")',
        '<!@(node -p "require(\'./native/sources.json\').net.join(\' \')")',
      ],
      'dependencies': [
        'core',
        '<!(node -p "require(\'node-addon-api\').targets"):node_addon_api_except',
      ],
      'defines': [
        'NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED',
        # A thread that is being ended runs no JavaScript any more; that must not end the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        'CT_VERSION="<!(node -p "require(\'./package.json\').version")"',
      ],
      'conditions': [
        ['OS=="linux"', {
          'ldflags': [
            '-Wl,--exclude-libs,ALL', '-Wl,-Bsymbolic', '-Wl,--gc-sections',
            '-Wl,--version-script=<(module_root_dir)/native/exports.map',
          ],
        }],
      ],
    },
  ],
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'kernels_avx2',
          'type': 'static_library',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').kernels.join(\' \')")'],
          'defines': ['CT_TARGET=avx2'],
          'cflags': ['-mavx2', '-mbmi2', '-maes', '-mfma'],
        },
        {
          'target_name': 'kernels_avx512core',
          'type': 'static_library',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').kernels.join(\' \')")'],
          'defines': ['CT_TARGET=avx512core'],
          'cflags': ['-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mbmi2', '-maes'],
        },
        {
          'target_name': 'kernels_avx512',
          'type': 'static_library',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').kernels.join(\' \')")'],
          'defines': ['CT_TARGET=avx512'],
          'cflags': [
            '-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl', '-mavx512ifma', '-mavx512vbmi', '-mavx512vbmi2',
            '-mavx512bitalg', '-mavx512vpopcntdq', '-mgfni', '-mvaes', '-mvpclmulqdq', '-mbmi2', '-maes',
          ],
        },
      ],
    }],
    ['programs=="true"', {
      'targets': [
        {
          'target_name': 'bench',
          'product_name': 'cryptorch_bench',
          # The package's own addon is found by being the only .node file in its folder, hence no loadable_module.
          'type': 'shared_library',
          'sources': [
            '<!@(node -p "require(\'./native/sources.json\').bench.join(\' \')")',
            '<!@(node -p "require(\'./native/sources.json\').net.join(\' \')")',
          ],
          'dependencies': [
            'core',
            '<!(node -p "require(\'node-addon-api\').targets"):node_addon_api_except',
          ],
          'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED'],
        },
        {
          'target_name': 'driver',
          'type': 'executable',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').driver.join(\' \')")'],
          'dependencies': ['core'],
          'conditions': [['OS=="linux"', { 'ldflags': ['-pthread', '-Wl,--gc-sections'] }]],
        },
        {
          'target_name': 'core_test',
          'type': 'executable',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').core_test.join(\' \')")'],
          'dependencies': ['core'],
          'conditions': [['OS=="linux"', { 'ldflags': ['-pthread'] }]],
        },
        {
          'target_name': 'kernel_test',
          'type': 'executable',
          'sources': ['<!@(node -p "require(\'./native/sources.json\').kernel_test.join(\' \')")'],
          'dependencies': ['core'],
          'conditions': [['OS=="linux"', { 'ldflags': ['-pthread'] }]],
        },
      ],
    }],
  ],
}
