#!/bin/sh
# Puts everything that an image of one app needs into an empty folder: the built files of the app and of the workspace
# packages it uses, their manifests, and the production dependencies from the lock file. The Dockerfile runs it, and a test
# runs it, so that what is tested is what ships.
#
#   sh docker/build-app.sh <app> <target-folder>
#
# Needs `npm run build` before, node and npm. Run the result with `node apps/<app>/dist/main.js` inside the folder.
set -eu

fail() {
  echo "build-app: $1" >&2
  exit 1
}

[ $# -eq 2 ] || fail "usage: build-app.sh <app> <target-folder>"
app=$1
root=$(cd "$(dirname "$0")/.." && pwd)
case $app in */* | .* | '') fail "'$app' is no name of an app" ;; esac
[ -f "$root/apps/$app/package.json" ] || fail "there is no app '$app'"
mkdir -p "$2"
target=$(cd "$2" && pwd)
[ -z "$(ls -A "$target")" ] || fail "$target is not empty"

# npm ci compares the lock file with every workspace's manifest, so all of them must be there while it runs.
cd "$root"
patterns=$(node -p 'JSON.parse(fs.readFileSync("package.json", "utf8")).workspaces.join(" ")')
workspaces=
# shellcheck disable=SC2086 # the patterns are meant to be expanded
for folder in $patterns; do
  [ -f "$folder/package.json" ] || continue
  workspaces="$workspaces $folder"
  mkdir -p "$target/$folder"
  cp "$folder/package.json" "$target/$folder/"
done
cp package.json package-lock.json "$target/"

# Only the app's own closure. Optional packages are the embedded PostgreSQL, the pinned Node and native accelerators:
# an image brings its own Node and speaks to a real server. No package of ours needs an install script.
# npm exports its prefix to the scripts it runs; inherited from `npm test` it would install into the wrong folder.
unset npm_config_local_prefix npm_config_workspace npm_config_workspaces npm_config_include_workspace_root
(
  cd "$target"
  npm ci --omit=dev --omit=optional --workspace "apps/$app" --include-workspace-root=false \
    --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
) || fail "npm ci failed"

# npm has linked what the app uses, directly or not, below node_modules/@peregrine; the rest goes.
for folder in $workspaces; do
  name=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).name' "$folder/package.json")
  if [ -L "$target/node_modules/$name" ]; then
    [ -f "$folder/dist/index.js" ] || [ -f "$folder/dist/main.js" ] || fail "$folder is not built: run npm run build"
    cp -R "$folder/dist" "$target/$folder/"
    # Assets that an app serves.
    [ ! -d "$folder/public" ] || cp -R "$folder/public" "$target/$folder/"
  else
    rm -rf "${target:?}/$folder"
  fi
done

# Kits for tests, and the bridge to a package that the platform does not use.
rm -rf "$target"/libs/*/dist/testing "$target/libs/cache/dist/cache-manager"

# Neither types nor source maps are read at run time, and the lock file's record stays in node_modules/.package-lock.json.
find "$target" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.tsbuildinfo' \) \
  -exec rm -f {} +
rm -f "$target/package.json" "$target/package-lock.json"
find "$target" -type d -empty -delete
