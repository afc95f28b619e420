// SPDX-License-Identifier: MIT
/* A device model in a shared object; see the header. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "library.h"

static void *find(const struct library *library, const char *name, void *function)
{
	void *symbol = dlsym(library->handle, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol;
}

static bool find_all(struct library *library, const char *path, char *error)
{
	const struct {
		const char *name;
		void *function;
	} wanted[] = {
		{ "npu_model_new", &library->new },	{ "npu_model_free", &library->free },
		{ "npu_model_reset", &library->reset }, { "npu_model_read", &library->read },
		{ "npu_model_write", &library->write }, { "npu_model_busy", &library->busy },
		{ "npu_model_run", &library->run },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (find(library, wanted[i].name, wanted[i].function))
			continue;
		snprintf(error, LIBRARY_ERROR_MAX, "model %s has no %s()", path, wanted[i].name);
		return false;
	}
	find(library, "npu_model_inject", &library->inject);
	find(library, "npu_model_stuck", &library->stuck);
	find(library, "npu_model_load", &library->load);
	find(library, "npu_model_store", &library->store);
	return true;
}

static bool check_abi(const struct library *library, const char *path, char *error)
{
	unsigned int (*abi)(void);

	if (!find(library, "npu_model_abi", &abi)) {
		snprintf(error, LIBRARY_ERROR_MAX, "model %s has no npu_model_abi()", path);
		return false;
	}
	if (abi() == NPU_MODEL_ABI)
		return true;
	snprintf(error, LIBRARY_ERROR_MAX, "model %s has interface version %u, wanted is %u", path,
		 abi(), NPU_MODEL_ABI);
	return false;
}

bool library_open(struct library *library, const char *path, char error[LIBRARY_ERROR_MAX])
{
	memset(library, 0, sizeof(*library));
	library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library->handle) {
		snprintf(error, LIBRARY_ERROR_MAX, "cannot open the model: %s", dlerror());
		return false;
	}
	if (check_abi(library, path, error) && find_all(library, path, error))
		return true;
	library_close(library);
	return false;
}

void library_close(struct library *library)
{
	if (library->handle)
		dlclose(library->handle);
	memset(library, 0, sizeof(*library));
}
