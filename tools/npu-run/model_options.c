// SPDX-License-Identifier: MIT
/* The float network that a command is about, and the samples it is tried on. */
#include <math.h>
#include <stdlib.h>

#include "model_options.h"

/* "0.5" or "1/255" */
static bool take_factor(const char *who, const char *option, double *factor)
{
	char *end;
	double number = strtod(optarg, &end);

	if (end != optarg && *end == '/') {
		const char *below = end + 1;
		double divisor = strtod(below, &end);

		number = end != below ? number / divisor : NAN;
	}
	if (end == optarg || *end || !(fabs(number) > 0) || !isfinite(number)) {
		complain(who, "%s is a number or a fraction, not 0, as in 0.5 or 1/255, not '%s'",
			 option, optarg);
		return false;
	}
	*factor = number;
	return true;
}

bool model_option(int c, const char *who, struct model_options *model)
{
	switch (c) {
	case 's':
		model->samples = optarg;
		return true;
	case MODEL_OPTION_TENSOR:
		model->tensor = optarg;
		return true;
	default:
		model->has_input_scale = true;
		return take_factor(who, "--input-scale", &model->input_scale);
	}
}

int model_load(const struct model_options *model, struct float_network *network,
	       struct samples **samples, struct npu_error *err)
{
	int ret = float_network_load(model->path, model->tensor, network, err);

	if (!ret && model->samples)
		ret = samples_open(model->samples, model->input_scale, samples, err);
	if (!ret && model->samples)
		ret = samples_check(*samples, network->layer[0].k, model->path, err);
	return ret;
}
