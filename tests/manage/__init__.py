"""What Puppet, Ansible and Chef make of what the page about them shows."""
