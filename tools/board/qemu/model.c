// SPDX-License-Identifier: MIT
/*
 * Opens a device model: any shared object with the functions of npu_model.h.
 */
#include "compat.h"
#include "model.h"

#include <dlfcn.h>

static bool find(void *library, const char *path, const char *name, void *function, Error **errp)
{
	void *symbol = dlsym(library, name);

	if (!symbol) {
		error_setg(errp, "model %s has no %s()", path, name);
		return false;
	}
	memcpy(function, &symbol, sizeof(symbol));
	return true;
}

static bool check_abi(void *library, const char *path, Error **errp)
{
	unsigned int (*abi)(void);

	if (!find(library, path, "npu_model_abi", &abi, errp))
		return false;
	if (abi() != NPU_MODEL_ABI) {
		error_setg(errp, "model %s has interface version %u, the board has %u", path, abi(),
			   NPU_MODEL_ABI);
		return false;
	}
	return true;
}

bool board_model_open(struct board_model *model, const char *path, const char *config,
		      const struct npu_model_bus *bus, Error **errp)
{
	struct npu_model *(*new)(const char *config, const struct npu_model_bus *bus);
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		error_setg(errp, "cannot open the model: %s", dlerror());
		return false;
	}
	if (!check_abi(library, path, errp) || !find(library, path, "npu_model_new", &new, errp) ||
	    !find(library, path, "npu_model_reset", &model->reset, errp) ||
	    !find(library, path, "npu_model_read", &model->read, errp) ||
	    !find(library, path, "npu_model_write", &model->write, errp) ||
	    !find(library, path, "npu_model_busy", &model->busy, errp) ||
	    !find(library, path, "npu_model_run", &model->run, errp))
		return false;
	find(library, path, "npu_model_inject", &model->inject, NULL);
	find(library, path, "npu_model_stuck", &model->stuck, NULL);

	model->npu = new (config, bus);
	if (!model->npu)
		error_setg(errp, "model %s does not know the configuration %s", path, config);
	return model->npu;
}

int board_model_inject(struct board_model *model, const char *fault)
{
	if (!model->inject)
		return -ENOTSUP;
	return model->inject(model->npu, fault) ? -EINVAL : 0;
}

void board_model_log_stuck(struct board_model *model)
{
	const char *why = model->stuck ? model->stuck(model->npu) : NULL;

	if (why)
		info_report("npu: reset while stuck: %s", why);
}
