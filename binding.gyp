# What node-gyp looks for. It is not part of the package, because npm builds an installed package that has such a file when it
# installs from a lock file, whatever package.json says. `cryptorch build` writes it while it needs it.
{ 'includes': ['native/addon.gypi'] }
