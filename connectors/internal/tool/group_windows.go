package tool

import (
	"os/exec"

	"golang.org/x/sys/windows"
)

// ownGroup keeps the program off our console, lets it show no window and lets
// the shop's own programs go first.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &windows.SysProcAttr{}
	}
	cmd.SysProcAttr.HideWindow = true
	cmd.SysProcAttr.CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW | windows.BELOW_NORMAL_PRIORITY_CLASS
}

// endGroup ends the program. The dump programs start no others.
func endGroup(cmd *exec.Cmd, _ bool) { _ = cmd.Process.Kill() }

func lowPriority(int) {}
