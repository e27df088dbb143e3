/*
 * kvart-agent.com: the guard on the command line. The guard itself, which lies
 * beside this as kvart-agent.exe, is a program without a console, and no shell
 * waits for such a one. "kvart-agent status" finds this first: it starts the
 * guard's program with the same arguments, waits, and ends with its exit code.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

/* Ctrl-C is for the guard, which finishes what it does. A handler, as ignoring
   it altogether would be passed on to the guard. */
static BOOL WINAPI wait_on(DWORD event)
{
	(void)event;
	return TRUE;
}

int wmain(void)
{
	static WCHAR program[32768];
	STARTUPINFOW start = {.cb = sizeof start};
	PROCESS_INFORMATION child;
	DWORD code = 1, n = GetModuleFileNameW(NULL, program, 32767);
	WCHAR *end;

	if (n == 0 || n >= 32767 || !(end = wcsrchr(program, L'.'))) {
		fwprintf(stderr, L"kvart-agent: where am I?\n");
		return 1;
	}
	wcscpy(end, L".exe");
	SetConsoleCtrlHandler(wait_on, TRUE);
	/* The command line goes on as it stands: the name in it is not looked at. */
	if (!CreateProcessW(program, GetCommandLineW(), NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
		fwprintf(stderr, L"kvart-agent: can't start %ls (%lu)\n", program, GetLastError());
		return 1;
	}
	WaitForSingleObject(child.hProcess, INFINITE);
	GetExitCodeProcess(child.hProcess, &code);
	return (int)code;
}
