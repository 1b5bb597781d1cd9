#!/usr/bin/env bash
# Proves mosquitto.conf and acl against a real Mosquitto, on a free port and in a folder of its own.
#
# Every account subscribes to everything and publishes on every topic; what arrives must be exactly what the tables
# below grant. Needs mosquitto, mosquitto_pub, mosquitto_sub and mosquitto_passwd. Exit status 0: all as granted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Debian keeps the broker where only root looks.
PATH=$PATH:/usr/sbin:/usr/local/sbin

# The tables: topics that an account may read, and those that it may write; below `sunward/` but for Home Assistant's.
declare -A reads=() writes=()
tasks="heater charger"
impostors="meter estimator homeassistant admin" # accounts that must not pose as tasks of their own name
task_topics="config state availability set setpoint report mode mode/set priority priority/set"

discovery="homeassistant/device/sunward/config homeassistant/device/sunward_task_heater/config"
birth="homeassistant/status"
own="power power/fallback scheduler/set scheduler/state scheduler/cycle scheduler/availability"
for id in $tasks $impostors; do
    for topic in $task_topics; do own+=" task/$id/$topic"; done
done
topics="$own $discovery $birth"

full() { # full TOPIC: as it is on the wire
    [[ $1 == homeassistant/* ]] && echo "$1" || echo "sunward/$1"
}
everything_but() { # everything_but ID: all of Sunward less the branch of one task
    local topic
    for topic in $own; do [[ $topic == "task/$1/"* ]] || printf '%s ' "$topic"; done
}
of_every_task_but() { # of_every_task_but ID TOPIC…: these topics in the branches of all tasks but one
    local but=$1 id topic
    shift
    for id in $tasks $impostors; do
        [[ $id == "$but" ]] || for topic; do printf '%s ' "task/$id/$topic"; done
    done
}

reads[sunward]=$topics
writes[sunward]="scheduler/set scheduler/state scheduler/cycle scheduler/availability
    $(of_every_task_but '' set setpoint report mode mode/set priority priority/set) $discovery"
reads[meter]=""
writes[meter]="power"
reads[estimator]=""
writes[estimator]="power/fallback"
for user in homeassistant admin; do
    reads[$user]=$(everything_but "$user")
    writes[$user]="scheduler/set $(of_every_task_but "$user" mode/set priority/set)"
done
reads[homeassistant]+=" $discovery $birth"
writes[homeassistant]+=" $discovery $birth"
for id in $tasks; do
    reads[$id]="task/$id/set task/$id/setpoint task/$id/mode task/$id/report scheduler/state scheduler/availability"
    writes[$id]="task/$id/config task/$id/state task/$id/availability"
done
# A name that is a wildcard must not become one. (Mosquitto lets it read nothing either, so nobody could tell it "done".)
writes[+]=""

# --- the broker -------------------------------------------------------------------------------------------------------

dir=$(mktemp -d)
broker=
declare -A subscribers=()
clean_up() {
    local pid
    for pid in "${subscribers[@]}" $broker; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
    echo "check-acl: $*" >&2
    [[ ! -s $dir/log ]] || tail -n 20 "$dir/log" >&2
    exit 1
}
await() { # await WHAT COMMAND…: until the command succeeds, for 20 s at most
    local what=$1 deadline=$((SECONDS + 20))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "waited 20 s for $what"
        sleep 0.02
    done
}

for tool in mosquitto mosquitto_pub mosquitto_sub mosquitto_passwd; do
    command -v $tool >/dev/null || fail "$tool is missing: apt-get install mosquitto mosquitto-clients"
done

# Of this run alone, so that another broker on the same port cannot be mistaken for ours.
password=$(basename "$dir")
touch "$dir/passwd"
for user in checker "${!writes[@]}"; do mosquitto_passwd -b "$dir/passwd" "$user" "$password"; done

# The real files with other paths, and two things that only this check needs: an account that sees and says everything,
# and a topic on which every account can be told that nothing more will come.
mkdir "$dir/data"
{
    printf 'user checker\ntopic readwrite #\n'
    cat "$here/acl"
    printf 'pattern read check/%%u\n'
} >"$dir/acl"

start_broker() { # start_broker PORT: succeeds once it answers there, fails if it ended (the port is taken)
    port=$1
    sed -e "s|^listener 1883\$|listener $port 127.0.0.1|" -e "s|/mosquitto/config|$dir|" -e "s|/mosquitto/data|$dir/data|" \
        "$here/mosquitto.conf" >"$dir/mosquitto.conf"
    grep -q "^listener $port 127.0.0.1\$" "$dir/mosquitto.conf" || fail "mosquitto.conf has no line 'listener 1883'"
    # Started as root, it would give root up and then not be let into the folder.
    [[ $(id -u) != 0 ]] || echo "user root" >>"$dir/mosquitto.conf"
    mosquitto -c "$dir/mosquitto.conf" >"$dir/log" 2>&1 &
    broker=$!
    await "the broker to answer" answered_or_ended
    kill -0 $broker 2>/dev/null
}
answered_or_ended() {
    ! kill -0 $broker 2>/dev/null || publish checker check/start 0
}
client() { (become "$@"); }
become() { # become TOOL USER ARGUMENT…: with `&` the process itself, so that it can be killed
    local tool=$1 user=$2
    shift 2
    exec "$tool" -h 127.0.0.1 -p "$port" -V 5 -u "$user" -P "$password" "$@"
}
publish() { # publish USER TOPIC PAYLOAD ARGUMENT…: back when the broker has dealt with it
    local user=$1 topic=$2 payload=$3
    shift 3
    client mosquitto_pub "$user" -q 1 -t "$topic" -m "$payload" "$@" >/dev/null 2>&1
}

for ((attempt = 1; ; attempt++)); do
    ! start_broker $((RANDOM % 20000 + 12000)) || break
    ((attempt < 20)) || fail "found no free port"
done

# --- who comes in -----------------------------------------------------------------------------------------------------

! mosquitto_pub -h 127.0.0.1 -p "$port" -t sunward/power -m '{"net": 0}' 2>/dev/null || fail "let in without a name"
! mosquitto_pub -h 127.0.0.1 -p "$port" -u meter -P wrong -t sunward/power -m '{"net": 0}' 2>/dev/null ||
    fail "let in with a wrong password"

# --- who reads what ---------------------------------------------------------------------------------------------------

# A message is "<topic> <payload>" in the file of the account that received it.
subscribe() { # subscribe USER
    become mosquitto_sub "$1" -t '#' -F '%t %p' >"$dir/received.$1" 2>&1 &
    subscribers[$1]=$!
    await "the subscription of $1" probed "$1"
}
probed() { publish checker "check/$1" ready && grep -q "^check/$1 ready\$" "$dir/received.$1"; }
settle() { # settle USER MARK: all that was published before has been delivered to the account
    publish checker "check/$1" "$2"
    await "$2 to reach $1" grep -q "^check/$1 $2\$" "$dir/received.$1"
}
problems=0
compare() { # compare WHAT GRANTED PAYLOAD FILE: the topics on which the payload arrived are the granted ones
    local difference
    # shellcheck disable=SC2086 # a list of topics
    if ! difference=$(diff <(for topic in $2; do full "$topic"; done | sort -u) \
        <(sed -n "s|^\(.*\) $3\$|\1|p" "$4" | sort -u)); then
        echo "check-acl: $1 (< granted but refused, > refused by the tables but possible):" >&2
        grep '^[<>]' <<<"$difference" >&2
        problems=$((problems + 1))
    fi
}

publish checker other/device/set retained -r
for topic in $topics; do publish checker "$(full "$topic")" retained -r; done
subscribe checker
for user in "${!reads[@]}"; do subscribe "$user"; done
publish checker other/device/set live
for topic in $topics; do publish checker "$(full "$topic")" live; done
for user in "${!reads[@]}"; do
    settle "$user" all-read
    compare "$user reads what was retained" "${reads[$user]}" retained "$dir/received.$user"
    compare "$user reads what is said" "${reads[$user]}" live "$dir/received.$user"
done
# shellcheck disable=SC2016 # $SYS is a topic
client mosquitto_sub admin -t '$SYS/broker/version' -C 1 -W 20 >/dev/null || fail "admin does not see \$SYS"

# --- who writes what --------------------------------------------------------------------------------------------------

for user in "${!writes[@]}"; do
    publish "$user" other/device/set "by-$user" || true
    for topic in $topics; do publish "$user" "$(full "$topic")" "by-$user" || true; done
    settle checker "all-written-by-$user"
    compare "$user writes" "${writes[$user]}" "by-$user" "$dir/received.checker"
done

# A last will is a message too: left for another task it must not be delivered, left for oneself it must.
leave_will() { # leave_will TOPIC PAYLOAD: as the heater, and die
    local pid
    become mosquitto_sub heater -t sunward/task/heater/set --will-topic "$1" --will-payload "$2" -d >"$dir/will" 2>&1 &
    pid=$!
    await "the last will on $1" settled_or_ended $pid
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
}
settled_or_ended() { ! kill -0 "$1" 2>/dev/null || grep -q 'received SUBACK' "$dir/will"; }
leave_will sunward/task/charger/availability will
leave_will sunward/task/heater/availability will
await "the last will of the heater" grep -q '^sunward/task/heater/availability will$' "$dir/received.checker"
compare "heater leaves a last will" task/heater/availability will "$dir/received.checker"

kill -0 $broker || fail "the broker ended by itself"
((problems == 0)) || fail "$problems tables do not hold"
echo "check-acl: ${#writes[@]} accounts, $(wc -w <<<"$topics") topics each way: all as granted"
