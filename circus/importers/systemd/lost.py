"""Directives of systemd that circusd has nothing like, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.importers.report import Verdict, changed, decide, kept, lost

if TYPE_CHECKING:
    from collections.abc import Mapping

ON_CIRCUS = "systemctl edit circus.service, where it holds for all that circusd runs"
HARDENING = lost("circusd does not confine single workers", ON_CIRCUS)
THERE = kept("circus.service has it, for all that circusd runs")
BY_CIRCUS = {
    "ProtectKernelModules": "yes", "ProtectKernelLogs": "yes", "ProtectKernelTunables": "yes",
    "ProtectClock": "yes", "ProtectHostname": "yes", "RestrictRealtime": "yes",
    "LockPersonality": "yes", "SystemCallArchitectures": "native", "KeyringMode": "private",
    "RestrictNamespaces": "yes",
}  # fmt: skip
"""What circus.service has itself."""
FOLDER = decide(
    "circusd makes no folders", "make it with systemd-tmpfiles, as the user and mode that it needs"
)
COUNTED = kept("circusd counts always: circusctl stats")
PRIORITY = lost("circusd sets nice only", ON_CIRCUS)
RESOURCE = lost("circusd has memory_max, memory_high, cpu_quota, cpu_weight, tasks_max, io_weight")
TERMINAL = lost("workers have no terminal", "leave such a unit to systemd")
JOURNAL = lost("circusd does not set it for single workers", ON_CIRCUS)
STAY = lost("circusd does not do that", "leave the unit to systemd, if it matters")
IN_FRONT = changed("not needed: the worker is the process that circusd has started")

_GROUPS: tuple[tuple[Verdict, str], ...] = (
    (HARDENING, """ProtectSystem ProtectHome PrivateTmp PrivateDevices PrivateNetwork PrivateUsers
     PrivateIPC PrivatePIDs PrivateMounts ProtectHostname ProtectClock ProtectKernelTunables
     ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectProc ProcSubset
     RestrictAddressFamilies RestrictFileSystems RestrictNamespaces RestrictRealtime
     RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute RemoveIPC MountFlags SystemCallFilter
     SystemCallErrorNumber SystemCallArchitectures SystemCallLog CapabilityBoundingSet
     AmbientCapabilities SecureBits KeyringMode ReadWritePaths ReadOnlyPaths InaccessiblePaths
     ReadOnlyDirectories ReadWriteDirectories InaccessibleDirectories Capabilities
     ExecPaths NoExecPaths TemporaryFileSystem BindPaths BindReadOnlyPaths RootDirectory RootImage
     RootHash RootVerity MountAPIVFS NetworkNamespacePath IPCNamespacePath AppArmorProfile
     SELinuxContext SmackProcessLabel IPAddressAllow IPAddressDeny IPIngressFilterPath
     IPEgressFilterPath SocketBindAllow SocketBindDeny RestrictNetworkInterfaces DeviceAllow
     DevicePolicy LoadCredential LoadCredentialEncrypted SetCredential SetCredentialEncrypted
     ImportCredential ExtensionImages ExtensionDirectories MountImages NFTSet Personality"""),
    (FOLDER, """RuntimeDirectory StateDirectory CacheDirectory LogsDirectory ConfigurationDirectory
     RuntimeDirectoryMode StateDirectoryMode CacheDirectoryMode LogsDirectoryMode
     ConfigurationDirectoryMode RuntimeDirectoryPreserve TimeoutCleanSec"""),
    (COUNTED, """CPUAccounting MemoryAccounting TasksAccounting IOAccounting BlockIOAccounting
     IPAccounting"""),
    (PRIORITY, """CPUSchedulingPolicy CPUSchedulingPriority CPUSchedulingResetOnFork CPUAffinity
     NUMAPolicy NUMAMask IOSchedulingClass IOSchedulingPriority OOMScoreAdjust OOMPolicy
     TimerSlackNSec CoredumpFilter"""),
    (RESOURCE, """MemoryMin MemoryLow MemorySwapMax MemoryZSwapMax StartupCPUWeight StartupIOWeight
     AllowedCPUs AllowedMemoryNodes CPUQuotaPeriodSec IODeviceWeight IOReadBandwidthMax
     IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec Slice Delegate
     DelegateSubgroup DisableControllers ManagedOOMSwap ManagedOOMMemoryPressure
     MemoryPressureWatch BlockIOWeight"""),
    (TERMINAL, """TTYPath TTYReset TTYVHangup TTYVTDisallocate TTYColumns TTYRows UtmpIdentifier
     UtmpMode PAMName StandardInputText StandardInputData IgnoreSIGPIPE"""),
    (JOURNAL, """SyslogFacility SyslogLevel SyslogLevelPrefix LogLevelMax LogExtraFields
     LogRateLimitIntervalSec LogRateLimitBurst LogFilterPatterns LogNamespace"""),
    (IN_FRONT, "PIDFile GuessMainPID NotifyAccess BusName USBFunctionDescriptors"),
    (STAY, """ExitType RootDirectoryStartOnly NonBlocking FileDescriptorStoreMax
     FileDescriptorStorePreserve FileDescriptorName OpenFile ReloadSignal RestartMode
     SendSIGHUP SendSIGKILL FinalKillSignal RestartKillSignal WatchdogSignal
     TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode UnsetEnvironment
     SetLoginEnvironment StartLimitAction FailureAction SuccessAction RebootArgument"""),
)  # fmt: skip
LOST: Mapping[str, Verdict] = {
    name: verdict for verdict, names in _GROUPS for name in names.split()
}
UNKNOWN = lost("nothing here is like it", "leave the unit to systemd, if it matters")


def verdict_on(key: str, value: str) -> Verdict:
    """What is said of a directive without a counterpart."""
    if BY_CIRCUS.get(key) == {"true": "yes", "on": "yes", "1": "yes"}.get(value, value):
        return THERE
    if value.lower() in ("no", "false", "off", "0") and LOST.get(key) is HARDENING:
        return kept("nothing: it is off")
    return LOST.get(key, UNKNOWN)
