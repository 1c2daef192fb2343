#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The SSH transport against real servers. $TRANSPORT_RUN: the program of tests/tools/transport_run.c.

tests=$(cd "$(dirname "$0")/.." && pwd)
run=${TRANSPORT_RUN:-${BUILD:-$tests/..}/tests/tools/transport_run}
dir=$(mktemp -d) || exit 1
. "$tests/fleet.sh"

n=0
ok() {      # STATUS NAME: ok when STATUS is 0
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        echo "# status: ${rc-} stdout: $(head -c 300 "$dir/out" 2>/dev/null | tr '\n' '|')"
        sed 's/^/# /' "$dir/err" 2>/dev/null | tail -5
    fi
}
skip() { n=$((n + 1)); echo "ok $n # skip $1"; }

jobs_started=
finish() {
    for p in $jobs_started; do kill "$p" 2>/dev/null; done
    fleet_stop "$dir/fleet"
    rm -rf "$dir"
}
trap finish EXIT

t() {       # transport_run's arguments; stdin as given
    timeout 120 "$run" "$@" >"$dir/out" 2>"$dir/err"
    rc=$?
}
is_out() { [ "$(cat "$dir/out")" = "$1" ]; }
says() { grep -q -- "$1" "$dir/err"; }
is_status() { [ "$rc" = "$1" ]; }
wait_file() { for _ in $(seq 3000); do [ -s "$1" ] && return 0; sleep 0.02; done; return 1; }
# A config of its own for a case: config NAME <<lines of alias x>>
config() { { echo "Host $1"; cat; cat "$dir/fleet/ssh_config"; } >"$dir/config"; export FFLEET_SSH_CONFIG=$dir/config; }
usual() { export FFLEET_SSH_CONFIG=$dir/fleet/ssh_config; }

[ -x "$run" ] || { echo "Bail out! no $run"; exit 1; }
[ -e /proc/net/if_inet6 ] && grep -q '^0\{31\}1 ' /proc/net/if_inet6 && v6=1 && export FLEET_LISTEN6=1
unset SSH_AUTH_SOCK
fleet_start 3 "$dir/fleet" || { echo "Bail out! no fleet"; exit 1; }
usual
port1=$(cat "$dir/fleet/h1/port")
port2=$(cat "$dir/fleet/h2/port")

# --- data

t h1 'printf "%s\n" "a  b" "it'\''s" '\''$HOME `x` !! \n'\''' </dev/null
ok "$(is_status 0 && is_out $'a  b\nit\'s\n$HOME `x` !! \\n'; echo $?)" "the command's text arrives unchanged"

# more than any window of the connection
head -c 24000000 /dev/urandom >"$dir/big"
t h1 cat <"$dir/big"
ok "$(is_status 0 && cmp -s "$dir/big" "$dir/out"; echo $?)" "24 MB through cat and back"

t h1 'head -c 5000000 /dev/zero >&2; echo end' </dev/null
ok "$(is_status 0 && is_out end && [ "$(wc -c <"$dir/err")" = 5000000 ]; echo $?)" "5 MB of stderr are drained"

t h1 'tee /dev/stderr' < <(head -c 20000000 "$dir/big")
ok "$(is_status 0 && cmp -s "$dir/out" "$dir/err" && [ "$(wc -c <"$dir/err")" = 20000000 ]; echo $?)" \
    "stdin, stdout and stderr all at once"

t h1 'exec 0<&-; sleep 0.2; echo early' <"$dir/big"
ok "$(is_status 0 && is_out early && says EPIPE; echo $?)" "a command that does not read its stdin: EPIPE, and its result"

# --- exit status

for s in 0 1 7 127 255; do
    t h1 "exit $s" </dev/null
    ok "$(is_status $s && [ ! -s "$dir/err" ]; echo $?)" "exit status $s"
done
t h1 'kill -TERM $$; exit 3' </dev/null
ok "$(is_status 3; echo $?)" "a signal to the leash itself does not lose the status"
t h1 'sh -c "kill -KILL \$\$"' </dev/null
ok "$(is_status 137 && [ ! -s "$dir/err" ]; echo $?)" "death by SIGKILL is status 137"
t h1 'sh -c "kill -SEGV \$\$"' </dev/null
ok "$(is_status 139; echo $?)" "death by SIGSEGV is status 139"
t h1 'if then' </dev/null
ok "$([ "$rc" -gt 0 ] && [ "$rc" != 255 ]; echo $?)" "a syntax error is the command's failure"
t h1 "$(printf ': %40000s' x)" </dev/null
ok "$(is_status 255 && says 'h1: the command is too long'; echo $?)" "too long a command is refused in words"

# --- host keys

config x <<END
    HostName 127.0.0.1
    Port $port1
    UserKnownHostsFile $dir/none
END
t x true </dev/null
print=$(ssh-keygen -lf "$dir/fleet/h1/host_key.pub" | cut -d' ' -f2)
ok "$(is_status 255 && says "x: unknown host key.*$print" && says "ssh-keyscan -p $port1 127.0.0.1 >> $dir/none"; echo $?)" \
    "unknown host key: fingerprint and remedy"

read -r type key _ <"$dir/fleet/h2/host_key.pub"
echo "[127.0.0.1]:$port1 $type $key" >"$dir/changed"
config x <<END
    HostName 127.0.0.1
    Port $port1
    UserKnownHostsFile $dir/changed
END
t x true </dev/null
ok "$(is_status 255 && says "x: the host key has changed" && says "ssh-keygen -f $dir/changed -R '\[127.0.0.1\]:$port1'"; echo $?)" \
    "changed host key: file and remedy"

{ cat "$dir/fleet/known_hosts"; echo "@revoked * $(cut -d' ' -f1,2 "$dir/fleet/h1/host_key.pub")"; } >"$dir/revoked"
config x <<END
    HostName 127.0.0.1
    Port $port1
    UserKnownHostsFile $dir/revoked
END
t x true </dev/null
ok "$(is_status 255 && says 'x: the host key .*is revoked'; echo $?)" "revoked host key"

{ echo '# none'; echo "$type $key"; cut -d' ' -f1,2 "$dir/fleet/h1/host_key.pub"; } >"$dir/list"
ssh-keygen -q -k -f "$dir/krl" "$dir/fleet/h1/host_key.pub"
ssh-keygen -q -k -f "$dir/other_krl" "$dir/fleet/h2/host_key.pub"
sed 3d "$dir/list" >"$dir/other_list"
revoked_by() {
    config x <<END
    HostName 127.0.0.1
    Port $port1
    RevokedHostKeys $dir/$1
END
    t x 'echo good' </dev/null
}
for list in list krl; do
    revoked_by $list
    ok "$(is_status 255 && says "x: the host key .*is revoked by $dir/$list"; echo $?)" "RevokedHostKeys: $list"
    revoked_by other_$list
    ok "$(is_status 0 && is_out good; echo $?)" "RevokedHostKeys: $list of another key"
done
revoked_by missing
ok "$(is_status 255 && says "cannot be read from $dir/missing"; echo $?)" "RevokedHostKeys: a file that is not there"

config x <<END
    HostName 127.0.0.1
    Port $port1
    Ciphers chacha20-poly1305@openssh.com
END
t x 'echo good' </dev/null
ok "$(is_status 255 && says 'knows none of the Ciphers that ssh_config allows: chacha20'; echo $?)" \
    "ciphers that are not allowed are not used"
config x <<END
    HostName 127.0.0.1
    Port $port1
    Ciphers chacha20-poly1305@openssh.com,aes192-ctr
    MACs hmac-sha2-512
END
t x 'echo good' </dev/null
ok "$(is_status 0 && is_out good; echo $?)" "the one of them that libssh2 knows"

cp "$dir/fleet/known_hosts" "$dir/hashed"
ssh-keygen -q -H -f "$dir/hashed" >/dev/null 2>&1
sed -i '1i @cert-authority * nonsense\ngarbage\n127.0.0.1 ssh-ed25519 AAAA' "$dir/hashed"
config x <<END
    HostName 127.0.0.1
    Port $port1
    UserKnownHostsFile $dir/hashed
END
t x 'echo hashed' </dev/null
ok "$(is_status 0 && is_out hashed && grep -q '^|1|' "$dir/hashed"; echo $?)" "hashed names, and lines that make no sense"

config x <<END
    HostName 127.0.0.1
    HostKeyAlias [127.0.0.1]:$port1
    ProxyCommand $(fleet_sshd) -i -f $dir/fleet/h1/sshd_config -o KexAlgorithms=sntrup761x25519-sha512@openssh.com
END
t x true </dev/null
ok "$(is_status 255 && says 'Function not implemented: x: its sshd has no key exchange.* libssh2 1'; echo $?)" \
    "a server whose algorithms libssh2 does not know is no flaw of the network"

# --- user keys

ssh-keygen -q -t ed25519 -N '' -f "$dir/wrong"
ssh-keygen -q -t rsa -b 2048 -N '' -f "$dir/rsa"
ssh-keygen -q -t ed25519 -N secret -f "$dir/locked"
nokey() { config x <<END
    HostName 127.0.0.1
    Port $port1
    IdentitiesOnly yes
    IdentityFile $1
END
sed -i "/IdentityFile.*fleet/d" "$dir/config"; }
nokey "$dir/wrong"
t x true </dev/null
ok "$(is_status 255 && says "x: key refused for user .*$dir/wrong (ssh-ed25519)"; echo $?)" "refused key is named"
nokey "$dir/nothing"
t x true </dev/null
ok "$(is_status 255 && says "x: no key found"; echo $?)" "no key at all"
many=$(for i in 1 2 3 4 5; do
    ssh-keygen -q -t ed25519 -N '' -f "$dir/wrong$i"
    echo "    IdentityFile $dir/wrong$i"
done)
config x <<END
    HostKeyAlias [127.0.0.1]:$port1
    ProxyCommand $(fleet_sshd) -i -f $dir/fleet/h1/sshd_config -o MaxAuthTries=4
$many
    IdentityFile $dir/fleet/id
END
t x true </dev/null
ok "$(is_status 255 && says 'Permission denied: x: closed the connection.*wrong3.*it takes no more keys than that' &&
    ! says 'fleet/id'; echo $?)" "more keys than a server wants"
nokey "$dir/locked"
t x true </dev/null
ok "$(is_status 255 && says "$dir/locked: needs a passphrase.*ssh-add"; echo $?)" "a key with a passphrase: use the agent"
nokey "$dir/rsa"
t x true </dev/null
ok "$(is_status 255 && says "key refused.*$dir/rsa (ssh-rsa)"; echo $?)" "refused RSA key"
nokey "$dir/wrong"
t "x,key=$dir/fleet/id" 'echo in' </dev/null
ok "$(is_status 0 && is_out in; echo $?)" "key=FILE comes first"
usual

ssh-agent -D -a "$dir/agent" >/dev/null 2>&1 &
jobs_started="$jobs_started $!"
for _ in $(seq 3000); do [ -S "$dir/agent" ] && break; sleep 0.02; done
SSH_AUTH_SOCK=$dir/agent ssh-add -q "$dir/fleet/id"
SSH_AUTH_SOCK=$dir/agent SSH_ASKPASS_REQUIRE=never ssh-add -q "$dir/wrong" </dev/null
config x <<END
    HostName 127.0.0.1
    Port $port1
    IdentitiesOnly no
    IdentityFile $dir/nothing
END
sed -i "/IdentityFile.*fleet/d" "$dir/config"
SSH_AUTH_SOCK=$dir/agent t x 'echo agent' </dev/null
ok "$(is_status 0 && is_out agent; echo $?)" "the agent's keys"
nokey "$dir/nothing"
SSH_AUTH_SOCK=$dir/agent t x 'echo agent' </dev/null
ok "$(is_status 255 && says 'no key found'; echo $?)" "IdentitiesOnly: not just any key of the agent"
cp "$dir/fleet/id.pub" "$dir/public.pub"
nokey "$dir/public"
SSH_AUTH_SOCK=$dir/agent t x 'echo agent' </dev/null
ok "$(is_status 0 && is_out agent; echo $?)" "IdentitiesOnly: the agent's key of an identity file"
usual

# Agents that hang: one at once, one when it is to sign
silent_agent() {    # SOCKET [PUBLIC]
    perl -MIO::Socket::UNIX -MMIME::Base64 -e '
        ($socket, $public) = @ARGV; $blob = decode_base64((split " ", $public)[1] // "");
        $s = IO::Socket::UNIX->new(Listen => 5, Local => $socket) or die;
        while ($c = $s->accept) { push @c, $c; sysread $c, $_, 5;
            syswrite $c, pack "N/a", pack "CN N/a N/a", 12, 1, $blob, "held" if $blob }' "$@" &
    jobs_started="$jobs_started $!"
    for _ in $(seq 3000); do [ -S "$1" ] && break; sleep 0.02; done
}
silent_agent "$dir/hangs"
silent_agent "$dir/signs" "$(cat "$dir/fleet/id.pub")"
SSH_AUTH_SOCK=$dir/hangs t -t 3000 h1 'echo file' </dev/null
ok "$(is_status 0 && is_out file; echo $?)" "an agent that hangs: the key files"
nokey "$dir/nothing"
SSH_AUTH_SOCK=$dir/hangs t -t 1000 x true </dev/null
ok "$(is_status 255 && says "the agent at $dir/hangs does not answer"; echo $?)" "an agent that hangs is named"
nokey "$dir/public"
SSH_AUTH_SOCK=$dir/signs t -t 1000 x true </dev/null
ok "$(is_status 255 && says "timed out: the agent at $dir/signs does not sign"; echo $?)" "an agent that does not sign"
SSH_AUTH_SOCK=$dir/signs t -t 60000 -w 500 x true </dev/null
ok "$(is_status 255 && says "interrupted"; echo $?)" "wake_fd ends that, too"
usual

# --- unreachable

closed=$(perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1"); print $s->sockport')
t "127.0.0.1:$closed" true </dev/null
ok "$(is_status 255 && says "127.0.0.1:$closed: unreachable.*refused"; echo $?)" "connection refused"
t nosuchhost.invalid true </dev/null
ok "$(is_status 255 && says "nosuchhost.invalid: unreachable.*address"; echo $?)" "name not found"
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
    open F, ">", $ARGV[0]; print F $s->sockport; close F; @c = (); push @c, $s->accept while 1' "$dir/silent" &
jobs_started="$jobs_started $!"
wait_file "$dir/silent"
t -t 500 "127.0.0.1:$(cat "$dir/silent")" true </dev/null
ok "$(is_status 255 && says "unreachable: timed out during the SSH handshake"; echo $?)" "a host that accepts and says nothing"
t -t 60000 -w 100 "127.0.0.1:$(cat "$dir/silent")" true </dev/null
ok "$(is_status 255 && says "interrupted"; echo $?)" "wake_fd ends connect()"

perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
    open F, ">", $ARGV[0]; print F $s->sockport; close F; $SIG{PIPE} = "IGNORE";
    while ($c = $s->accept) { 1 while syswrite $c, "no SSH\r\n" x 8192 }' "$dir/talking" &
jobs_started="$jobs_started $!"
wait_file "$dir/talking"
t -t 500 "127.0.0.1:$(cat "$dir/talking")" true </dev/null
ok "$(is_status 255 && says "unreachable: timed out during the SSH handshake"; echo $?)" "a host that talks without end"
t -t 60000 -w 100 "127.0.0.1:$(cat "$dir/talking")" true </dev/null
ok "$(is_status 255 && says "interrupted"; echo $?)" "wake_fd ends that, too"

# --- ways to a host

config x <<END
    HostName 127.0.0.1
    Port $port2
    ProxyJump h1
END
t x cat < <(head -c 3000000 "$dir/big")
ok "$(is_status 0 && cmp -s <(head -c 3000000 "$dir/big") "$dir/out" &&
    grep -q "port $port2" "$dir/fleet/h1/log" "$dir/fleet/h2/log"; echo $?)" "ProxyJump"
config x <<END
    HostName 127.0.0.1
    Port $port2
    ProxyJump h3,$(id -un)@127.0.0.1:$port1
END
sed -i "1i Host 127.0.0.1\n    IdentityFile $dir/fleet/id" "$dir/config"
t x 'echo two jumps' </dev/null
ok "$(is_status 0 && is_out 'two jumps'; echo $?)" "ProxyJump over two hosts, with user and port"
config x <<END
    HostName 127.0.0.1
    Port $port2
    HostKeyAlias [127.0.0.1]:$port2
    ProxyCommand perl -MIO::Socket::INET -e '\$s=IO::Socket::INET->new("%h:%%p"=~/(.*):/?"\$1:%p":"");if(fork){while(sysread STDIN,\$b,65536){syswrite \$s,\$b}shutdown \$s,1;wait}else{while(sysread \$s,\$b,65536){syswrite STDOUT,\$b}}'
END
t x 'echo by command' </dev/null
ok "$(is_status 0 && is_out 'by command'; echo $?)" "ProxyCommand with tokens, HostKeyAlias"
config x <<END
    HostName 127.0.0.1
    Port $port2
    ProxyCommand sh -c 'echo no way >&2; exit 1'
END
t x true </dev/null
ok "$(is_status 255 && says 'x: unreachable through its proxy: no way'; echo $?)" "a failing proxy's words"
usual
if [ -n "${v6-}" ]; then
    t "[::1]:$port1" 'echo six' </dev/null
    ok "$(is_status 0 && is_out six; echo $?)" "IPv6 address"
else
    skip "no IPv6 loopback"
fi

# --- nothing stays behind

gone() { wait_file "$1" && fleet_wait_gone $(cat "$1"); }

t -k 1 h1 "echo \$\$ >$dir/p1; sh -c 'echo \$\$ >>$dir/p1; echo x; exec sleep 300'" </dev/null
ok "$(is_status 99 && gone "$dir/p1"; echo $?)" "cancel() ends the command"

busy='ffmpeg -nostdin -v error -re -f lavfi -i testsrc2=s=320x180:r=25:d=3600 -c:v mpeg4 -f null -'
endless="while :; do :; done"
i=0
for command in "exec sleep 300" "$endless" "trap '' TERM HUP; $endless" "exec $busy"; do
    i=$((i + 1))
    case $command in
    *ffmpeg*) command -v ffmpeg >/dev/null || { skip "no ffmpeg"; continue; } ;;
    esac
    "$run" h3 "sh -c 'echo \$\$ >$dir/k$i; ${command//\'/\'\\\'\'}'" </dev/null >"$dir/out" 2>"$dir/err" &
    pid=$!
    wait_file "$dir/k$i"
    fleet_kill_host "$dir/fleet" h3
    wait $pid
    rc=$?
    ok "$(is_status 255 && says 'h3: connection lost' && gone "$dir/k$i"; echo $?)" \
        "kill -9 of the server ends: ${command:0:40}"
    fleet_start_host "$dir/fleet" h3
    # The new port stands last in the file; the first entry wins
    sed -i "/^Host h3$/,/Port/s/Port .*/Port $(cat "$dir/fleet/h3/port")/" "$dir/fleet/ssh_config"
done

mkdir "$dir/clean"
t h2 "echo \$\$ >$dir/clean/pid; cd $dir/clean; exec 1>&-; true" </dev/null
left=$(for p in /proc/[0-9]*; do [ "$(readlink "$p/cwd")" = "$dir/clean" ] && echo "$p"; done)
ok "$(is_status 0 && [ -z "$left" ] && fleet_gone "$(cat "$dir/clean/pid")"; echo $?)" "after success no process is left"

t h2 "sleep 1.2; true" </dev/null
left=$(for p in $(fleet_children "$(cat "$dir/fleet/h2/sshd.pid")"); do fleet_is_sshd "$p" || fleet_gone "$p" || echo "$p"; done)
ok "$(is_status 0 && [ -z "$left" ]; echo $?)" "nor of the watchdog"

echo "1..$n"
