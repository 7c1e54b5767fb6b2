# Completion of circusctl for bash: circusctl itself tells what may follow.
# Installed as share/bash-completion/completions/circusctl.

_circusctl() {
    local line=${COMP_LINE:0:COMP_POINT}
    mapfile -t COMPREPLY < <(
        AUTO_COMPLETE=1 COMP_LINE=$line COMP_WORDBREAKS=$COMP_WORDBREAKS "$1" 2>/dev/null
    )
    # a key, the program of a new watcher, and what is imported are files
    if [[ $3 == --ssh_keyfile || $line =~ ^[^\ ]+\ +(add|import)\  ]]; then
        compopt -o default
    fi
}

complete -F _circusctl circusctl
