# Runs a program that must not outlive its owner.
#   guard.sh FOLDER PROGRAM [ARGUMENT…]
# Standard input is a pipe that the owner holds open. A line on it names a signal for the program; its end, also the
# end that the kernel makes when the owner is killed, kills the program. Afterwards a script `afterwards.sh` in FOLDER
# ('' for none) is run, and FOLDER is removed, unless a file `keep` lies in it.
folder=$1
shift
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
# A process of its own: it still kills the program when this shell was killed.
{
    while read -r signal <&3; do kill -s "$signal" "$program"; done
    kill -s KILL "$program"
} 2>/dev/null &
watcher=$!
exec 3<&-
wait "$program"
code=$?
kill -s KILL "$watcher" 2>/dev/null
[ -z "$folder" ] || [ ! -e "$folder/afterwards.sh" ] || sh "$folder/afterwards.sh"
[ -z "$folder" ] || [ -e "$folder/keep" ] || rm -rf "$folder"
exit "$code"
