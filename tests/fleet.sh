# SPDX-License-Identifier: LGPL-2.1-or-later
# A fleet of real SSH servers on this machine, for tests. To be sourced by a POSIX sh or bash.
#
#   fleet_start N DIR         start hosts h1..hN on 127.0.0.1, each on a port of its own; everything is in DIR:
#                               ssh_config    the aliases h1..hN (for FFLEET_SSH_CONFIG, ssh -F)
#                               known_hosts   their keys
#                               id            the user key (ed25519, no passphrase), id.pub
#                               hN/bin        first on that host's PATH: a place for stubs
#                               hN            that host's HOME, so that no start-up file of the user's interferes
#                               hN/tmp        its TMPDIR
#                               hN/port, hN/sshd.pid, hN/log
#   fleet_kill_host DIR hN    kill -9 the server and its sessions, but not what they run
#   fleet_stop DIR            end everything and wait for it
#
# FLEET_LISTEN6=1 lets the hosts listen on ::1 too. Works for root and for an ordinary user.

fleet_sshd() {
    command -v sshd || { [ -x /usr/sbin/sshd ] && echo /usr/sbin/sshd; }
}

# fleet_children PID: all descendants, parents first
fleet_children() {
    for fleet_stat in /proc/[0-9]*/stat; do
        fleet_line=
        read -r fleet_line 2>/dev/null <"$fleet_stat" || continue
        fleet_rest=${fleet_line##*) }       # state ppid ...
        fleet_rest=${fleet_rest#* }
        if [ "${fleet_rest%% *}" = "$1" ]; then
            echo "${fleet_line%% *}"
            # A subshell, as the variables are not local
            (fleet_children "${fleet_line%% *}")
        fi
    done 2>/dev/null
}

# Gone, or a zombie that nobody has collected yet
fleet_gone() {
    fleet_line=
    read -r fleet_line 2>/dev/null <"/proc/$1/stat" || return 0
    case ${fleet_line##*) } in
    Z*|X*) return 0 ;;
    esac
    return 1
}

# fleet_wait_gone PID...: up to a minute
fleet_wait_gone() {
    for fleet_pid in "$@"; do
        fleet_n=0
        until fleet_gone "$fleet_pid"; do
            fleet_n=$((fleet_n + 1))
            [ "$fleet_n" -lt 3000 ] || return 1
            sleep 0.02
        done
    done
}

fleet_sshd_config() {   # DIR hN PORT
    cat <<END
Port $3
ListenAddress 127.0.0.1
${FLEET_LISTEN6:+ListenAddress ::1}
HostKey $1/$2/host_key
PidFile $1/$2/sshd.pid
AuthorizedKeysFile $1/authorized_keys
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
PrintMotd no
AllowTcpForwarding yes
MaxStartups 100:30:200
LogLevel VERBOSE
SetEnv PATH=$1/$2/bin:/usr/local/bin:/usr/bin:/bin HOME=$1/$2 TMPDIR=$1/$2/tmp
END
    # Since 9.8 sshd stops listening to an address whose keys it has refused a few times.
    if "$(fleet_sshd)" -T -f /dev/null -o PerSourcePenalties=no 2>&1 | grep -q 'Bad configuration'; then
        return 0
    fi
    echo 'PerSourcePenalties no'
}

# One try at one port. sshd goes to the background by itself once it listens.
fleet_try_port() {      # DIR hN PORT
    rm -f "$1/$2/sshd.pid"
    : >"$1/$2/log"
    fleet_sshd_config "$1" "$2" "$3" >"$1/$2/sshd_config"
    "$(fleet_sshd)" -f "$1/$2/sshd_config" -E "$1/$2/log" </dev/null >/dev/null 2>&1 || return 1
    fleet_n=0
    until [ -s "$1/$2/sshd.pid" ]; do
        fleet_n=$((fleet_n + 1))
        [ "$fleet_n" -lt 3000 ] || return 1
        sleep 0.02
    done
    # One free address is enough for sshd, but not for us
    if grep -q 'Bind to port .* failed' "$1/$2/log"; then
        fleet_kill_host "$1" "$2"
        return 1
    fi
    echo "$3" >"$1/$2/port"
}

fleet_start_host() {    # DIR hN
    mkdir -p "$1/$2/bin" "$1/$2/tmp"
    [ -f "$1/$2/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1/$2/host_key" || return 1
    fleet_seed=$(od -An -N2 -tu2 /dev/urandom)
    fleet_try=0
    while [ "$fleet_try" -lt 50 ]; do
        fleet_port=$((20000 + (fleet_seed + fleet_try * 97) % 12000))
        if fleet_try_port "$1" "$2" "$fleet_port"; then
            fleet_add_host "$1" "$2" "$fleet_port"
            return 0
        fi
        fleet_try=$((fleet_try + 1))
    done
    echo "fleet: $2 did not start:" >&2
    cat "$1/$2/log" >&2
    return 1
}

fleet_add_host() {      # DIR hN PORT
    read -r fleet_type fleet_key fleet_rest <"$1/$2/host_key.pub"
    echo "[127.0.0.1]:$3 $fleet_type $fleet_key" >>"$1/known_hosts"
    if [ -n "${FLEET_LISTEN6-}" ]; then
        echo "[::1]:$3 $fleet_type $fleet_key" >>"$1/known_hosts"
    fi
    cat >>"$1/ssh_config" <<END
Host $2
    HostName 127.0.0.1
    Port $3
END
}

fleet_start() {         # N DIR
    [ -n "$(fleet_sshd)" ] || { echo "fleet: no sshd found" >&2; return 1; }
    mkdir -p "$2" && fleet_dir=$(cd "$2" && pwd) || return 1
    # sshd insists on its separation directory only as root
    if [ "$(id -u)" = 0 ]; then
        mkdir -p /run/sshd && chmod 755 /run/sshd
    fi
    ssh-keygen -q -t ed25519 -N '' -C fleet -f "$fleet_dir/id" || return 1
    cp "$fleet_dir/id.pub" "$fleet_dir/authorized_keys"
    : >"$fleet_dir/known_hosts"
    : >"$fleet_dir/ssh_config"
    fleet_i=1
    while [ "$fleet_i" -le "$1" ]; do
        fleet_start_host "$fleet_dir" "h$fleet_i" || { fleet_stop "$fleet_dir"; return 1; }
        fleet_i=$((fleet_i + 1))
    done
    cat >>"$fleet_dir/ssh_config" <<END
Host *
    User $(id -un)
    IdentityFile $fleet_dir/id
    UserKnownHostsFile $fleet_dir/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    IdentitiesOnly yes
END
}

fleet_pid_of() {        # DIR hN
    [ -s "$1/$2/sshd.pid" ] && cat "$1/$2/sshd.pid"
}

fleet_is_sshd() {
    fleet_comm=
    read -r fleet_comm 2>/dev/null <"/proc/$1/comm"
    case $fleet_comm in
    sshd*) return 0 ;;
    esac
    return 1
}

fleet_kill_host() {     # DIR hN
    fleet_main=$(fleet_pid_of "$1" "$2") || return 0
    fleet_kill=
    for fleet_pid in $(fleet_children "$fleet_main"); do
        if fleet_is_sshd "$fleet_pid"; then
            fleet_kill="$fleet_kill $fleet_pid"
        fi
    done
    # The listener first, so that it cannot start new ones
    kill -9 "$fleet_main" $fleet_kill 2>/dev/null
    rm -f "$1/$2/sshd.pid"
    fleet_wait_gone "$fleet_main" $fleet_kill
}

fleet_stop() {          # DIR
    for fleet_host in "$1"/h[0-9]*; do
        fleet_main=$(fleet_pid_of "$1" "${fleet_host##*/}") || continue
        # Stopped, it starts no new sessions while we look for the old ones
        kill -STOP "$fleet_main" 2>/dev/null || continue
        fleet_kill=$(fleet_children "$fleet_main")
        kill -9 "$fleet_main" $fleet_kill 2>/dev/null
        rm -f "$fleet_host/sshd.pid"
        fleet_wait_gone "$fleet_main" $fleet_kill || return 1
    done
}
