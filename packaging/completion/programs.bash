# Completion of circusd, circus-plugin, circusd-stats, circus-top, circushttpd for bash.
# Written by `python packaging/complete.py` from their options. Installed below
# share as bash-completion/completions/circusd, and again for each of the others.

declare -gA _circus_options=(
    [circusd]="-h --help --log-level --log-output --logger-config --daemon --pidfile --check --strict --instead-of --version"
    [circus-plugin]="-h --help --endpoint --pubsub --config --check-delay --ssh --path --check --log-level --log-output --version"
    [circusd-stats]="-h --help --endpoint --pubsub --statspoint --ssh --log-level --log-output --version"
    [circus-top]="-h --help --endpoint --control --ssh --ssh_keyfile --curve --process-timeout --readonly --once --batch --json --version"
    [circushttpd]="-h --help --config --endpoint --ssh --host --port --fd --log-level --log-output --version"
)
declare -gA _circus_values=(
    ["circusd "]="files"
    ["circusd --log-level"]="words critical error warning info debug"
    ["circusd --log-output"]="files"
    ["circusd --logger-config"]="files"
    ["circusd --pidfile"]="files"
    ["circusd --instead-of"]="files"
    ["circus-plugin "]=""
    ["circus-plugin --endpoint"]="endpoints control"
    ["circus-plugin --pubsub"]="endpoints pubsub"
    ["circus-plugin --config"]=""
    ["circus-plugin --check-delay"]=""
    ["circus-plugin --ssh"]="hosts"
    ["circus-plugin --path"]="folders"
    ["circus-plugin --log-level"]="words debug info warning error critical"
    ["circus-plugin --log-output"]="files"
    ["circusd-stats --endpoint"]="endpoints control"
    ["circusd-stats --pubsub"]="endpoints pubsub"
    ["circusd-stats --statspoint"]="endpoints stats"
    ["circusd-stats --ssh"]="hosts"
    ["circusd-stats --log-level"]="words debug info warning error critical"
    ["circusd-stats --log-output"]="files"
    ["circus-top --endpoint"]="endpoints stats"
    ["circus-top --control"]="endpoints control"
    ["circus-top --ssh"]="hosts"
    ["circus-top --ssh_keyfile"]="files"
    ["circus-top --curve"]="files"
    ["circus-top --process-timeout"]=""
    ["circus-top --batch"]=""
    ["circushttpd --config"]="files"
    ["circushttpd --endpoint"]="endpoints control"
    ["circushttpd --ssh"]="hosts"
    ["circushttpd --host"]=""
    ["circushttpd --port"]=""
    ["circushttpd --fd"]=""
    ["circushttpd --log-level"]="words debug info warning error critical"
    ["circushttpd --log-output"]="files"
)

_circus_program() {
    local program=${1##*/} line=${COMP_LINE:0:COMP_POINT} option begun= kind word file
    local typed=${line##*[[:space:]]}
    local before=${line%"$typed"} words=()
    before=${before%"${before##*[![:space:]]}"}
    option=${before##*[[:space:]]}
    if [[ $typed == --*=* ]]; then
        option=${typed%%=*} begun=${typed%%=*}=
    fi
    kind=${_circus_values["$program $option"]-none}
    if [[ $kind == none && $typed == -* ]]; then
        kind="words ${_circus_options[$program]}"
    elif [[ $kind == none ]]; then
        kind=${_circus_values["$program "]-}
    fi
    COMPREPLY=()
    case $kind in
        files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
        folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
        hosts) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
        words*) read -ra words <<<"${kind#words}" ;;
        endpoints*)
            for file in {/run/circus,/run/circus/*,"${XDG_RUNTIME_DIR-}/circus"}/"${kind#* }"; do
                [[ -S $file ]] && words+=("ipc://$file")
            done
            ;;
    esac
    # bash wants what stands behind the last of its word breaks, `:` and `=` among them
    for word in "${words[@]}"; do
        [[ $begun$word == "$typed"* ]] && COMPREPLY+=("${begun}${word}")
    done
    if (( ${#words[@]} )); then
        COMPREPLY=("${COMPREPLY[@]#"${typed%"$2"}"}")
    fi
}

complete -F _circus_program circusd circus-plugin circusd-stats circus-top circushttpd
