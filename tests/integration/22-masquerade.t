#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ffleet under the name ffmpeg: never finds itself, never loops, and becomes stock in the same process.

ffleet=${FFLEET:-./ffleet}
[ -x "$ffleet" ] || { echo "Bail out! no ffleet here: set FFLEET"; exit 1; }
real=$(command -v ffmpeg) || { echo "1..0 # SKIP no ffmpeg"; exit 0; }
realdir=$(dirname "$real")
for name in $(compgen -e | grep '^FFLEET_'); do unset "$name"; done
unset FFREPORT FFLEET

top=$(mktemp -d "${TMPDIR:-/tmp}/ffleet-masquerade-XXXXXX") || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$top"/{bin,link,link2,hard,copy,copy2,wrap,wrap2,junk,plain,home}
export HOME=$top/home XDG_CONFIG_HOME=$top/home
built=$(realpath "$ffleet")
cp "$ffleet" "$top/bin/ffleet"
ffleet=$top/bin/ffleet

nb=0 failed=0
ok() { # STATUS LABEL
    nb=$((nb + 1))
    if [ "$1" = 0 ]; then
        echo "ok $nb - $2"
    else
        echo "not ok $nb - $2"
        printf '%s\n' "${out:-}" "${err:-}" | head -n 20 | sed 's/^/# /'
        failed=1
    fi
}
is() { # GOT EXPECTED LABEL
    if [ "$1" = "$2" ]; then ok 0 "$3"; else ok 1 "$3"; echo "# got '$1', expected '$2'"; fi
}

# run COMMAND...: sets out, err, status; bounded
run() {
    out=$(/usr/bin/timeout 300 "$@" 2>"$top/err" </dev/null)
    status=$?
    err=$(cat "$top/err")
}

stock_version=$("$real" -version | sed 1q)
is_stock() { # LABEL
    [ "$status" = 0 ] && [ "$(printf '%s\n' "$out" | sed 1q)" = "$stock_version" ]
    ok $? "$1"
}
is_refused() { # PATTERN LABEL
    [ "$status" = 1 ] && [ -z "$out" ] && printf '%s\n' "$err" | grep -q "^ffleet: .*$1"
    ok $? "$2"
}

### the ways to be called ffmpeg

ln -s ../bin/ffleet "$top/link/ffmpeg"
ln -s "$top/link/ffmpeg" "$top/link2/ffmpeg"
ln "$top/bin/ffleet" "$top/hard/ffmpeg"
cp "$top/bin/ffleet" "$top/copy/ffmpeg"
cp "$top/bin/ffleet" "$top/copy2/ffmpeg"

run env PATH="$top/link:$PATH" ffmpeg -version
is_stock 'a symlink first on PATH'
run env PATH="$top/link2:$top/link:$top/hard:$PATH" ffmpeg -version
is_stock 'two symlinks and a hard link'
run env PATH="$top/hard:$PATH" ffmpeg -version
is_stock 'a hard link'
run env PATH="$top/copy:$PATH" ffmpeg -version
is_stock 'a copy'
run env PATH="$top/copy:$top/copy2:$top/link:$PATH" ffmpeg -version
is_stock 'two copies that find each other, and the real one'
run env PATH="$top/copy:$top/link:$PATH" "$ffleet" -version
is_stock 'called ffleet, with a copy called ffmpeg'
run env PATH="$top/link:$top/hard" "$ffleet" -version
is_refused 'no ffmpeg other than ffleet itself' 'nothing but links: a clear error'
run env PATH="$top/copy:$top/copy2" ffmpeg -version
is_refused 'again and again; set FFLEET_FFMPEG' 'nothing but copies: a clear error, no loop'
run env PATH="$top/home" "$ffleet" -version
is_refused 'no ffmpeg other than ffleet itself on PATH' 'no ffmpeg at all'

mkdir "$top/junk/ffmpeg"
echo text >"$top/plain/ffmpeg"
chmod -x "$top/plain/ffmpeg"
run env PATH="$top/junk:$top/plain:$top/link:$PATH" "$ffleet" -version
is_stock 'a folder and a text called ffmpeg are passed over'

### PATH as the shell reads it

cd "$top/link" || exit 1
for path in ":$realdir" ".:$realdir" "../link:../hard:$realdir" "$realdir:" "../junk::$realdir"; do
    run env PATH="$path" "$ffleet" -version
    is_stock "PATH='$path' in a folder with a link"
done
ln -s "$real" "$top/home/ffmpeg"
cd "$top/home" || exit 1
for path in '' ':' '/nowhere:' '.' '../home'; do
    run env PATH="$path" "$ffleet" -version
    is_stock "PATH='$path' in a folder with the real one"
done
rm "$top/home/ffmpeg"
cd "$top" || exit 1
if [ -x /usr/bin/ffmpeg ] || [ -x /bin/ffmpeg ]; then
    run env -u PATH "$ffleet" -version
    is_stock 'no PATH at all'
fi

### FFLEET_FFMPEG

export PATH
cat >"$top/home/fake" <<'END'
#!/bin/sh
echo "fake: $*"
END
chmod +x "$top/home/fake"
echo 'echo "plain: $*"' >"$top/home/plain"
chmod +x "$top/home/plain"

run env FFLEET_FFMPEG="$top/home/fake" "$ffleet" -version 'a  b'
is "$status:$out" '0:fake: -version a  b' 'a path'
run env FFLEET_FFMPEG=home/fake "$ffleet" -version
is "$status:$out" '0:fake: -version' 'a relative path'
run env FFLEET_FFMPEG=fake PATH="$top/home:$PATH" "$ffleet" -version
is "$status:$out" '0:fake: -version' 'a name'
run env FFLEET_FFMPEG="$top/home/plain" "$ffleet" -version
is "$status:$out" '0:plain: -version' 'a script without #!'
run env FFLEET_FFMPEG= "$ffleet" -version
is_stock 'empty is not set'
run env FFLEET_FFMPEG=ffmpeg PATH="$top/link:$PATH" "$ffleet" -version
is_stock 'the name ffmpeg, with a link first on PATH'
run env FFLEET_FFMPEG=nosuch "$ffleet" -version
is_refused 'no nosuch other than' 'a name that is not there'
run env FFLEET_FFMPEG=/no/such "$ffleet" -version
is_refused "FFLEET_FFMPEG: '/no/such' is not an executable" 'a path that is not there'
run env FFLEET_FFMPEG="$top" "$ffleet" -version
is_refused 'is not an executable' 'a folder'
for self in "$ffleet" "$top/link2/ffmpeg" "$top/hard/ffmpeg"; do
    run env FFLEET_FFMPEG="$self" "$ffleet" -version
    is_refused 'is ffleet itself' "itself, as ${self#"$top"/}"
done
run env FFLEET_FFMPEG="$top/copy/ffmpeg" "$ffleet" -version
is_refused 'is ffleet itself' 'a copy: it sees that it is meant'

### wrapper scripts called ffmpeg

for dir in wrap wrap2; do
    cat >"$top/$dir/ffmpeg" <<END
#!/bin/sh
echo called >>'$top/calls'
exec '$ffleet' "\$@"
END
    chmod +x "$top/$dir/ffmpeg"
done
calls() { wc -l <"$top/calls"; }

: >"$top/calls"
run env PATH="$top/wrap:$PATH" ffmpeg -version
is_stock 'a wrapper that runs ffleet'
run env PATH="$top/wrap:$top/wrap2:$top/link:$PATH" ffmpeg -version
is_stock 'two wrappers'
: >"$top/calls"
run env PATH="$top/wrap:/bin/nowhere" "$ffleet" -version
is_refused 'again and again' 'only a wrapper: a clear error'
[ "$(calls)" -le 20 ]
ok $? "after $(calls) rounds"
: >"$top/calls"
run env FFLEET_FFMPEG="$top/wrap/ffmpeg" "$ffleet" -version
is_refused 'again and again' 'FFLEET_FFMPEG is a wrapper: a clear error'
[ "$(calls)" -le 20 ]
ok $? "after $(calls) rounds"
for depth in '' nonsense -5 0; do
    run env FFLEET_DEPTH="$depth" "$ffleet" -version
    is_stock "FFLEET_DEPTH='$depth'"
done
run env FFLEET_DEPTH=99999999999999999999 "$ffleet" -version
is_refused 'again and again' 'a huge FFLEET_DEPTH'
run env FFLEET_DEPTH=3 "$ffleet" -version
is_stock 'some depth, and one ffmpeg on PATH'

### the same process

cat >"$top/home/fake" <<'END'
#!/bin/sh
case $2 in
pid)     echo $$ ;;
signals) grep -E '^Sig(Blk|Ign)' /proc/self/status ;;
env)     env | grep -Ev '^(_|FFLEET_DEPTH|SHLVL|PWD|OLDPWD)=' | sort ;;
files)   ls /proc/self/fd | wc -l ;;
stdin)   cat ;;
exit)    exit 42 ;;
kill)    kill -KILL $$ ;;
esac
END
export FFLEET_FFMPEG=$top/home/fake
run sh -c 'echo $$; exec "$0" -version pid' "$ffleet"
[ "$(printf '%s\n' "$out" | uniq | wc -l)" = 1 ] && [ -n "$out" ]
ok $? 'the same pid'
run "$ffleet" -version exit
is "$status" 42 'its exit status'
run sh -c '"$0" -version kill; echo $?' "$ffleet"
is "$out" 137 'its death by a signal'
out=$(echo hello | "$ffleet" -version stdin)
is "$out" hello 'its stdin'
for how in '' '$SIG{PIPE} = $SIG{INT} = $SIG{HUP} = "IGNORE";' \
           'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1, SIGTERM, SIGINT));'; do
    run perl -e "$how"' exec @ARGV' "$FFLEET_FFMPEG" -version signals
    expected=$out
    run perl -e "$how"' exec @ARGV' "$ffleet" -version signals
    is "$out" "$expected" "its signals${how:+ with: $how}"
done
for what in env files; do
    run "$FFLEET_FFMPEG" -version $what
    expected=$out
    run "$ffleet" -version $what
    is "$out" "$expected" "its $what"
done
FFLEET_FFMPEG=$(command -v bash)
run bash -c 'exec -a some/name "$0" -c "echo \$0"' "$ffleet"
is "$out" some/name 'its argv[0]'
unset FFLEET_FFMPEG

# A real encode that would never end, stopped by a signal once it runs.
stopped() { # SIGNAL PROGRAM: prints the exit status
    rm -f "$top/progress"
    perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$2" -nostdin -v quiet -stats_period 0.1 \
        -progress "file:$top/progress" -re -f lavfi -i color=s=16x16 -f null - </dev/null &
    pid=$!
    for _ in $(seq 1200); do
        [ -s "$top/progress" ] && break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -"$1" "$pid"
    wait "$pid"
    echo $?
}
for signal in INT TERM; do
    is "$(stopped $signal "$ffleet")" "$(stopped $signal "$real")" "exit status after SIG$signal"
done
is "$(stopped TERM "$ffleet")" 255 'which is 255'

### whose --help?

run "$top/link/ffmpeg" --help
out=$(printf '%s\n' "$out" | sed -n 2p) stock=$("$real" --help 2>/dev/null | sed -n 2p)
is "$out" "$stock" 'called ffmpeg: --help is of ffmpeg'
run "$top/link/ffmpeg" --version
printf '%s\n' "$err" | grep -q 'Unrecognized option .-version'
ok $? 'called ffmpeg: --version is what ffmpeg makes of it'
run "$ffleet" --help
for word in --hosts --hostlist --ssh-user --segment-length --file --explain --no-fallback \
            --status --version --help FFLEET_HOSTS FFLEET_SEGMENT_LENGTH FFLEET_FFMPEG \
            FFLEET_SSH_CONFIG FFLEET_TRACE; do
    printf '%s\n' "$out" | grep -qe "$word" || { ok 1 "--help tells of $word"; failed=1; }
done
printf '%s\n' "$out" | sed 1q | grep -q '^usage: ffleet'
ok $? 'called ffleet: --help is its own'
run "$ffleet" --version
printf '%s\n' "$out" | grep -q '^ffleet version [0-9]'
ok $? 'called ffleet: --version is its own'
run "$ffleet" --segment-length 0 -i x y
is_refused "segment-length: '0' is not" 'a bad number of its own'

### stock's commands cost only stock's time

loads() { # WORDS...: whether they load libavcodec
    run env LD_DEBUG=files FFLEET_FFMPEG="$top/home/true" "$ffleet" "$@"
    printf '%s\n' "$err" | grep -q 'libavcodec.*generating link map'
}
printf '#!/bin/sh\n' >"$top/home/true"
chmod +x "$top/home/true"
if loads --version; then
    export FFLEET_HOSTS=h1
    for words in '' -version '-h long' '-encoders' '-i a.mkv' '-v error -i a.mkv -c copy b.mkv' \
                 '-i a.mkv -c copy -movflags +faststart b.mp4' '-i a.mkv -vn b.wav' \
                 '-i a -codec:v copy -c:a aac b' '-noautorotate -i a.mkv -c copy b.mkv'; do
        ! loads $words
        ok $? "nothing is loaded for: $words"
    done
    for words in '-i a.mkv b.mp4' '-i a.mkv -c copy -c:v:0 mpeg4 b.mp4' '-i a -c:a copy b' \
                 '-i a -vn -novn b' '-i a -c copy b c' '-i a -c copy -target dvd b' \
                 '-i a.mkv -c copy -c:1 mpeg4 b.mp4' '-i a -c copy -filter_complex null b' \
                 '--explain -version'; do
        loads $words
        ok $? "the rest of the program is loaded for: $words"
    done
    FFLEET_HOSTS='' loads -i a.mkv b.mp4
    is "$?" 1 'nothing is loaded without hosts'
    unset FFLEET_HOSTS
else
    ok 0 "what is loaded # SKIP this linker does not tell"
fi

### installed

build=$(dirname "$built")
if [ -f "$build/config.mak" ] && make -s -C "$build" install PREFIX=/no/such/prefix \
        DESTDIR="$top/dest" >"$top/err" 2>&1; then
    installed=$top/dest/no/such/prefix/bin/ffleet
    mkdir "$top/moved"
    ln -s "$installed" "$top/moved/link"
    for program in "$installed" "$top/moved/link"; do
        run env PATH="$PATH" "$program" --version
        is "$status:${out%% *}" 0:ffleet "installed, as ${program##*/}"
    done
    cp "$installed" "$top/moved/ffmpeg"
    run env PATH="$top/moved:$PATH" FFLEET_HOSTS=h1 "$top/moved/ffmpeg" -v error \
        -f lavfi -i color=d=0.1 -f md5 -
    [ "$status" = 0 ] && printf '%s\n' "$out" | grep -q ^MD5 &&
        printf '%s\n' "$err" | grep -q 'a part of the program is missing'
    ok $? 'half of it, copied elsewhere: stock does it'
    run env "$top/moved/link" --explain -version
    is "$status" 0 'a link to the whole of it'
    run env FFLEET_HOSTS=h1 "$top/moved/ffmpeg" --no-fallback -i a.mkv b.mkv
    is "$status" 1 'half of it, which must not fall back'
    make -s -C "$build" uninstall PREFIX=/no/such/prefix DESTDIR="$top/dest" >"$top/err" 2>&1
    is "$(find "$top/dest" -type f)" '' 'uninstalled'
else
    ok 1 'make install'
fi

echo "1..$nb"
exit $failed
