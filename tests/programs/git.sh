# git: init, 500 files in ten commits, branches and a merge, gc with threads, log, fsck, blame.
# PACKAGES: git
. "$LOAM_ROOT/tests/runner/programs.sh"
need git git
cat >"$input/life.sh" <<'SH'
set -eu
export GIT_CONFIG_NOSYSTEM=1 HOME=$PWD GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main repo; cd repo
git config pack.threads 2; git config gc.auto 0
for commit in $(seq 10); do
    mkdir -p "d$commit"
    for file in $(seq 50); do
        { seq "$file" $((file + commit * 40)); echo "$commit $file"; } >"d$commit/f$file"
    done
    seq $((commit * 300)) >shared
    git add -A; git commit -q -m "commit $commit"
done
git checkout -q -b side HEAD~3; echo side >>d1/f1; git commit -q -am side
git checkout -q main; git merge -q -m merge side
git gc -q --aggressive --prune=now
git fsck --full --strict
git log --stat -M --format='%H %s %T'
git blame shared | md5sum; git diff HEAD~8 HEAD | md5sum; git grep -c 17 | head -n 50
git cat-file --batch-all-objects --batch-check | md5sum
git clone -q --no-local . ../copy; git -C ../copy rev-parse HEAD
git ls-files | wc -l
cd ..; rm -rf repo/.git copy
SH
good git bash "$input/life.sh"
grep -q '^501$' git.loam/stdout || fail "501 files were expected in the repository"
