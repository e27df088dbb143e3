/*
 * For tests under Wine 8 only; it is in no package. What Go needs of Windows
 * and this Wine lacks:
 *
 * - bcryptprimitives.dll, which this library stands in for, with ProcessPrng.
 *   Windows has had it since 2015. Answered with the older function for the same.
 * - NtSetInformationFile that knows deleting and renaming as Windows 10 does
 *   (classes 64 and 65). Wine says "not implemented", where a Windows that is
 *   too old says "no such class", which is what Go goes its other way upon. So
 *   that is what we say.
 */
#include <windows.h>
#include <ntsecapi.h> /* RtlGenRandom, by its real name SystemFunction036 */
#include <string.h>

typedef LONG(WINAPI *set_info)(HANDLE, void *, void *, ULONG, ULONG);
static set_info original;

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
	while (size > 0) {
		ULONG n = size > 1 << 20 ? 1 << 20 : (ULONG)size;
		if (!RtlGenRandom(data, n))
			return FALSE;
		data += n;
		size -= n;
	}
	return TRUE;
}

static LONG WINAPI set_information_file(HANDLE file, void *status, void *info, ULONG size, ULONG class)
{
	if (class == 64 || class == 65)
		return (LONG)0xC0000003; /* STATUS_INVALID_INFO_CLASS */
	return original(file, status, info, size, class);
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved)
{
	/* mov r10,rcx; mov eax,number: how every system call of Wine's begins. The
	   rest of it does not depend on where it lies. */
	static const BYTE begins[] = {0x4c, 0x8b, 0xd1, 0xb8};
	BYTE *call, *copy, jump[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; /* mov rax,…; jmp rax */
	void *ours = set_information_file;
	DWORD old;

	if (reason != DLL_PROCESS_ATTACH)
		return TRUE;
	call = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtSetInformationFile");
	if (!call || memcmp(call, begins, sizeof begins))
		return TRUE; /* another Wine: it may know */
	copy = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	if (!copy || !VirtualProtect(call, sizeof jump, PAGE_EXECUTE_READWRITE, &old))
		return FALSE;
	memcpy(copy, call, 40);
	original = (set_info)copy;
	memcpy(jump + 2, &ours, sizeof ours);
	memcpy(call, jump, sizeof jump);
	return TRUE;
}
